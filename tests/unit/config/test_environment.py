from __future__ import annotations

import pytest

from procwrap.config.environment import parse
from procwrap.errors import ExitStatus, UsageError
from procwrap.spec.logs import LogFormat
from procwrap.spec.plan import Given


@pytest.mark.parametrize(
    ("environ", "given"),
    [
        ({}, Given()),
        ({"PATH": "/bin", "PROCWRAP_VERSION": "0.1.0", "PROCWRAP_REPLICA": "0"}, Given()),
        ({"PROCWRAP_CONFIG": "/x", "CONFIG": "[]"}, Given(config="/x", config_text="[]")),
        ({"CONFIG": ""}, Given(config_text="")),
        ({"PROCWRAP_DEBUG": "1"}, Given(debug=True)),
        ({"PROCWRAP_DEBUG": "disabled"}, Given(debug=False)),
        ({"PROCWRAP_DEBUG": ""}, Given()),
        ({"PROCWRAP_GRACEFUL_SHUTDOWN_DEADLINE": "1m"}, Given(graceful_shutdown_deadline=60.0)),
        ({"PROCWRAP_READINESS_FILE": "/r"}, Given(readiness_file="/r")),
        ({"PROCWRAP_SKIP_COMMANDS": "a, b"}, Given(skip_commands=("a", "b"))),
        ({"PROCWRAP_HTTP": "off"}, Given(http=False)),
        ({"PROCWRAP_WAIT": "yes", "PROCWRAP_WAIT_DEADLINE": "5s"}, Given(wait=True, wait_deadline=5.0)),
        ({"PROCWRAP_NO_REAP_GROUP": "true"}, Given(reap_group=False)),
        ({"HEALTH_SOCKET": ":8111"}, Given(socket=":8111")),
        ({"LOG_FORMAT": "json"}, Given(log_format=LogFormat.JSON)),
        ({"LOG_FORMAT": "plain"}, Given(log_format=LogFormat.FREE)),
        ({"METRICS_SERVER_ADDRESS": "metrics:9999"}, Given(events_udp=("metrics", 9999))),
        ({"METRICS_SERVER_ADDRESS": ":9999"}, Given(events_udp=("localhost", 9999))),
        ({"ELASTICSEARCH_URL": "https://u:p@es:9200/"}, Given(elasticsearch_url="https://u:p@es:9200")),
        ({"ELASTICSEARCH_API_KEY": "aWQ6a2V5"}, Given(elasticsearch_api_key="aWQ6a2V5")),
        ({"ELASTICSEARCH_API_KEY": "id:key"}, Given(elasticsearch_api_key="aWQ6a2V5")),
        (
            {"METRICS_JSON_EXTRA_LABELS": '{"a": "b", "n": 1.10, "t": true}'},
            Given(event_labels=(("a", "b"), ("n", "1.10"), ("t", "true"))),
        ),
        ({"METRICS_EXTRA_LABELS_FILE_PATH": "/l"}, Given(event_labels_file="/l")),
        ({"METRICS_EXTRA_LABELS_FILE_EXCLUDE": "a, b"}, Given(event_labels_exclude=("a", "b"))),
        ({"HOSTNAME": "h", "POD_NAMESPACE": "s", "NODE_NAME": "n"}, Given(pod="h", namespace="s", node="n")),
        ({"HOSTNAME": "h", "POD_NAME": "p"}, Given(pod="p")),
        ({"HOSTNAME": "h", "POD_NAME": ""}, Given(pod="h")),
    ],
)
def test_variables(environ: dict[str, str], given: Given) -> None:
    """Every option has its variable; what is empty or not ours says nothing."""
    assert parse(environ) == given


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PROCWRAP_DEBUG", "maybe", 'expected on or off (or true, false, 1, 0, yes, no), got "maybe"'),
        (
            "PROCWRAP_WAIT_DEADLINE",
            "10",
            "expected a duration such as 10s or 1m30s, got 10: a bare number has no unit",
        ),
        (
            "HEALTH_SOCKET",
            "8111",
            'expected ":port", "host:port" or an endpoint such as "unix:/run/procwrap.sock", got 8111',
        ),
        ("METRICS_SERVER_ADDRESS", "metrics", 'expected "host:port", got "metrics"'),
        (
            "METRICS_JSON_EXTRA_LABELS",
            "a=b",
            'expected a JSON object of texts, such as {"k8s_cluster": "eu1"}: this is no JSON',
        ),
        (
            "METRICS_JSON_EXTRA_LABELS",
            "[]",
            'expected a JSON object of texts, such as {"k8s_cluster": "eu1"}',
        ),
        ("METRICS_JSON_EXTRA_LABELS", '{"a": null}', 'the label "a": expected a text'),
        (
            "ELASTICSEARCH_URL",
            "es:9200",
            "expected a URL such as https://elastic:9200; this one does not begin with http:// or https://",
        ),
        (
            "ELASTICSEARCH_API_KEY",
            "hunter2 ",
            "expected an API key: printable characters without white space",
        ),
        ("LOG_FORMAT", "xml", 'expected one of logfmt, auto, json, free, plain, got "xml"'),
    ],
)
def test_errors(name: str, value: str, message: str) -> None:
    """A bad value names its variable and ends with exit code 2."""
    with pytest.raises(UsageError) as caught:
        parse({name: value})
    assert str(caught.value) == f"{name}: {message}"
    assert caught.value.exit_status == ExitStatus.USAGE


def test_the_config_is_not_shown() -> None:
    """CONFIG may hold secrets, so it is not in the repr."""
    assert "hunter2" not in repr(parse({"CONFIG": "hunter2"}))


def test_who_we_are_is_not_shown() -> None:
    """Neither is what a server knows us by."""
    environ = {"ELASTICSEARCH_URL": "http://u:hunter2@es", "ELASTICSEARCH_API_KEY": "hunter2"}
    assert "hunter2" not in repr(parse(environ))
