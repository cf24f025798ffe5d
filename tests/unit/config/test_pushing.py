from __future__ import annotations

import pytest

from procwrap.config.environment import parse
from procwrap.config.settings import resolve
from procwrap.errors import UsageError
from procwrap.spec.loki import Loki
from procwrap.spec.plan import Given, Plan
from procwrap.spec.process import ProcessSpec
from procwrap.tls import needs_tls
from tests.support.configs import plan_of, problems_of

CONFIG = """\
processes: [{{name: app, entrypoint: run}}]
logs: {{loki: {0}}}
"""
PUSH = "/loki/api/v1/push"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("{}", Loki("")),
        ('{url: "http://loki:3100"}', Loki("http://loki:3100" + PUSH)),
        ('{url: "http://loki:3100/"}', Loki("http://loki:3100" + PUSH)),
        ('{url: "https://7:token@logs/loki/api/v1/push"}', Loki("https://7:token@logs" + PUSH)),
        ('{url: "http://gateway/logs", tenant: shop}', Loki("http://gateway/logs" + PUSH, "shop")),
        ('{url: "http://:3100", tenant: 7}', Loki("http://localhost:3100" + PUSH, "7")),
    ],
)
def test_loki(keys: str, expected: Loki) -> None:
    """Where records are pushed, with or without the path; the URL may be left to the environment."""
    assert plan_of(CONFIG.format(keys)).loki == expected


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("{url: loki}", "url: expected a URL such as http://loki:3100;"),
        ('{url: "http://u:hunter2@"}', "url: expected a URL such as http://loki:3100;"),
        ('{url: "http://u:hunter2@loki?x=1"}', "url: expected a URL such as http://loki:3100;"),
        ('{url: "http://u:hunter2@löki"}', "url: expected a URL such as http://loki:3100;"),
        ("{tenant: a b}", "tenant: expected the name of a tenant: letters, digits and "),
        ('{tenant: ""}', "tenant: expected the name of a tenant: letters, digits and "),
        ("{labels: {}}", "labels: unknown key: expected one of url, tenant"),
    ],
)
def test_mistakes(keys: str, message: str) -> None:
    """They are found before anything starts, and no password is shown."""
    (problem,) = problems_of(CONFIG.format(keys))
    assert f"logs.loki.{message}" in problem
    assert "hunter2" not in problem


def test_environment() -> None:
    """LOKI_URL and LOKI_TENANT; a URL that is none is an error that does not show it."""
    assert parse({"LOKI_URL": "http://u:p@loki", "LOKI_TENANT": "shop"}) == Given(
        loki_url="http://u:p@loki" + PUSH, loki_tenant="shop"
    )
    for name, value in {"LOKI_URL": "u:hunter2@loki", "LOKI_TENANT": "a\nb"}.items():
        with pytest.raises(UsageError, match=f"{name}: expected") as caught:
            parse({name: value})
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("env", "config", "expected"),
    [
        (Given(), None, None),
        (Given(loki_tenant="t"), Loki(""), None),
        (Given(loki_url="http://env"), None, Loki("http://env")),
        (Given(loki_url="http://env"), Loki("http://config", "t"), Loki("http://env", "t")),
        (Given(loki_tenant="e"), Loki("http://config", "t"), Loki("http://config", "e")),
        (
            Given(pod="web-1", node="n1"),
            Loki("http://config"),
            Loki("http://config", None, (("pod", "web-1"), ("node", "n1"))),
        ),
    ],
)
def test_the_environment_goes_before_the_config(
    env: Given, config: Loki | None, expected: Loki | None
) -> None:
    """Key by key; what is known about where we are becomes labels."""
    plan = Plan(processes=(ProcessSpec("app", "run"),), loki=config)
    assert resolve(Given(), env, plan).loki == expected


def test_tls_is_imported_for_https_only() -> None:
    """Verifying a server takes pyOpenSSL, which is paid for where it is needed."""
    plan = Plan(processes=(ProcessSpec("app", "run"),))
    for url, needed in (("https://loki", True), ("http://loki", False)):
        assert needs_tls(plan, resolve(Given(), Given(loki_url=url), plan)) is needed
