from __future__ import annotations

import pytest

from procwrap.spec.logs import LogFormat
from procwrap.spec.plan import LivenessRule, Plan
from procwrap.spec.process import ProcessSpec
from tests.support.configs import plan_of, problems_of

APP = ProcessSpec("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "- {name: a, entrypoint: b}",
        "processes: [{name: a, entrypoint: b}]",
        '[{"name": "a", "entrypoint": "b"}]',
        '{"processes":\t[{"name": "a", "entrypoint": "b"}]}',
    ],
)
def test_list_and_mapping(text: str) -> None:
    """The seed's plain list is the value of processes, with everything else at its default."""
    assert plan_of(text) == Plan(processes=(APP,))


def test_every_section() -> None:
    """All that stands beside the processes."""
    plan = plan_of(
        """
        x-mine: {anything: [goes, here]}
        processes: [{name: a, entrypoint: b, x-note: mine}]
        api: {socket: "127.0.0.1:8111", x-y: 1}
        logs: {format: json, labels: {cluster: eu1, zone: 2}}
        shutdown: {deadline: 30s}
        readinessFile: {path: /run/ready, follow: true}
        health: {liveness: stuck}
        """
    )
    labels = (("cluster", "eu1"), ("zone", "2"))
    assert plan == Plan(
        processes=(ProcessSpec("a", "b", labels=labels),),
        socket="127.0.0.1:8111",
        log_format=LogFormat.JSON,
        labels=labels,
        deadline=30.0,
        readiness_file="/run/ready",
        readiness_follow=True,
        liveness=LivenessRule.STUCK,
    )


def test_readiness_file_in_short() -> None:
    """A path alone is enough, and so is follow alone."""
    assert plan_of("{processes: [{name: a, entrypoint: b}], readinessFile: /x}").readiness_file == "/x"
    plan = plan_of("{processes: [{name: a, entrypoint: b}], readinessFile: {follow: true}}")
    assert (plan.readiness_file, plan.readiness_follow) == (None, True)


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("processes: []", ["1:12: processes: expected at least one process, got an empty list"]),
        ("processes:", ["1:11: processes: expected at least one process, got an empty list"]),
        ("[]", ["1:1: processes: expected at least one process, got an empty list"]),
        ("processes: {a: b}", ["1:12: processes: expected a list, got a mapping"]),
        ("processes: null", ["1:1: processes: is missing"]),
        (
            "procesess: []",
            ["1:1: procesess: unknown key: did you mean processes?", "1:1: processes: is missing"],
        ),
        (
            "{processes: [{name: a, entrypoint: b}], api: {sockets: x}}",
            ["1:47: api.sockets: unknown key: did you mean socket?"],
        ),
        (
            "{processes: [{name: a, entrypoint: b}], api: {token: hunter2, tls: {}}}",
            [
                "1:68: api.tls.cert: is missing",
                "1:68: api.tls.key: is missing",
            ],
        ),
        (
            "{processes: [{name: a, entrypoint: b}], api: {socket: 8111}}",
            [
                (
                    '1:55: api.socket: expected ":port", "host:port" or an endpoint such as'
                    ' "unix:/run/procwrap.sock",'
                    " got 8111"
                )
            ],
        ),
        (
            "{processes: [{name: a, entrypoint: b}], logs: {loki: x, format: xml}}",
            [
                "1:54: logs.loki: expected a mapping, got text",
                '1:65: logs.format: expected one of logfmt, auto, json, free, plain, got "xml"',
            ],
        ),
        (
            "{processes: [{name: a, entrypoint: b}], tracing: {}}",
            [
                (
                    "1:41: tracing: unknown key: expected one of "
                    "processes, api, logs, shutdown, readinessFile, health, events"
                ),
            ],
        ),
        (
            "{processes: [{name: a, entrypoint: b}], events: {udp: 9999, elasticsearch: es}}",
            [
                '1:55: events.udp: expected "host:port", got 9999',
                "1:76: events.elasticsearch: expected a mapping, got text",
            ],
        ),
        (
            "{processes: [{name: a, entrypoint: b}], health: {liveness: ok}}",
            ['1:60: health.liveness: expected one of healthy, stuck, got "ok"'],
        ),
        (
            "{processes: [{name: a, entrypoint: b}], shutdown: 10s, readinessFile: 5, api: }",
            [
                "1:51: shutdown: expected a mapping, got text",
                '1:71: readinessFile: expected text, got a number: quote it ("5")',
                "1:79: api: expected a mapping, got nothing",
            ],
        ),
    ],
)
def test_errors(text: str, messages: list[str]) -> None:
    """Each wrong section is told at its place."""
    assert problems_of(text) == [f"app.yaml:{message}" for message in messages]
