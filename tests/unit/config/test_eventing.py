from __future__ import annotations

import pytest

from procwrap.spec.events import DEFAULT_INDEX, Elasticsearch
from tests.support.configs import plan_of, problems_of

CONFIG = """\
processes: [{{name: app, entrypoint: run}}]
events: {{elasticsearch: {0}}}
"""


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("{}", Elasticsearch("", DEFAULT_INDEX)),
        ('{url: "https://u:p@es/", index: logs-procwrap-default}',
         Elasticsearch("https://u:p@es", "logs-procwrap-default")),
        ('{url: "http://es", apiKey: aWQ6a2V5}', Elasticsearch("http://es", api_key="aWQ6a2V5")),
        ('{url: "http://es", apiKey: "id:key"}', Elasticsearch("http://es", api_key="aWQ6a2V5")),
    ],
)  # fmt: skip
def test_elasticsearch(keys: str, expected: Elasticsearch) -> None:
    """Where events are kept; the URL may be left to the environment."""
    assert plan_of(CONFIG.format(keys)).elasticsearch == expected


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("{index: Procwrap}", "index: expected small letters: the name of an index has no capital ones,"),
        ("{index: 5}", 'index: expected text, got a number: quote it ("5")'),
        ("{apiKey: hunter2 hunter2}", "apiKey: expected an API key: printable characters"),
        ("{apiKey: [hunter2]}", "apiKey: expected text, got a list"),
        ('{url: "http://u:hunter2@"}', "url: expected a URL such as https://elastic:9200;"),
        ("{apikey: hunter2}", "apikey: unknown key: did you mean apiKey?"),
    ],
)  # fmt: skip
def test_mistakes(keys: str, message: str) -> None:
    """They are found before anything starts, and no key or password is shown."""
    (problem,) = problems_of(CONFIG.format(keys))
    assert f"events.elasticsearch.{message}" in problem
    assert "hunter2" not in problem
