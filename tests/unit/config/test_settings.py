from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from procwrap.config.settings import resolve, wrapped_plan
from procwrap.spec.control import Control
from procwrap.spec.events import Elasticsearch, EventLabels, UdpEvents
from procwrap.spec.logs import LogFormat
from procwrap.spec.plan import Given, LivenessRule, MergeSettings, Plan, Settings
from procwrap.spec.process import ProcessSpec, Restart, RestartPolicy

NOTHING = Given()
WRAPPED = Given(command=("sleep", "1"))
UNKNOWN = EventLabels((("pod", ""), ("namespace", ""), ("node", "")))
CONTROL = Control(socket="/run/procwrap.sock")


def plan(**said: Any) -> Plan:
    return Plan(processes=(), **said)


def test_defaults() -> None:
    """Nobody says anything: the defaults of Settings."""
    assert resolve(NOTHING, NOTHING, plan()) == Settings(event_labels=UNKNOWN, control=CONTROL)


def test_the_config_speaks() -> None:
    """What only the config says holds."""
    said = plan(
        socket=":1",
        log_format=LogFormat.AUTO,
        labels=(("a", "b"),),
        deadline=0.0,
        readiness_file="/c",
        readiness_follow=True,
        liveness=LivenessRule.STUCK,
    )
    assert resolve(NOTHING, NOTHING, said) == Settings(
        graceful_deadline=0.0,
        readiness_file="/c",
        readiness_follow=True,
        socket=":1",
        log_format=LogFormat.AUTO,
        labels=(("a", "b"),),
        liveness=LivenessRule.STUCK,
        event_labels=UNKNOWN,
        control=CONTROL,
    )


def test_precedence() -> None:
    """Command line before environment before config, for each setting by itself."""
    config = plan(socket=":1", log_format=LogFormat.AUTO, deadline=1.0, readiness_file="/c")
    env = Given(
        socket=":2",
        log_format=LogFormat.JSON,
        graceful_shutdown_deadline=2.0,
        readiness_file="/e",
        debug=True,
    )
    argv = Given(graceful_shutdown_deadline=3.0, debug=False, reap_group=False)
    from_env = resolve(NOTHING, env, config)
    assert (from_env.socket, from_env.log_format, from_env.graceful_deadline) == (":2", LogFormat.JSON, 2.0)
    from_argv = resolve(argv, env, config)
    assert from_argv == Settings(
        graceful_deadline=3.0,
        readiness_file="/e",
        socket=":2",
        log_format=LogFormat.JSON,
        reap_group=False,
        event_labels=UNKNOWN,
        control=CONTROL,
    )


@pytest.mark.parametrize(
    ("argv", "env", "socket"),
    [
        (NOTHING, NOTHING, ":8111"),
        (Given(http=False), NOTHING, None),
        (NOTHING, Given(http=False), None),
        (Given(http=True), Given(http=False), ":8111"),
        (NOTHING, Given(http=False, socket=":5"), None),
        (WRAPPED, NOTHING, None),
        (WRAPPED, Given(socket=":5"), ":5"),
        (WRAPPED, Given(socket=":5", http=False), None),
        (WRAPPED, Given(http=True), ":8111"),
        (Given(command=("x",), http=True), NOTHING, ":8111"),
        (Given(command=("x",), http=False), Given(socket=":5"), None),
    ],
)
def test_http(argv: Given, env: Given, socket: str | None) -> None:
    """HTTP is on, except for a wrapped command that nobody gave a socket."""
    assert resolve(argv, env, plan()).socket == socket


@pytest.mark.parametrize(
    ("argv", "env", "deadline"),
    [
        (WRAPPED, NOTHING, None),
        (Given(command=("x",), graceful_shutdown_deadline=4.0), NOTHING, 4.0),
        (WRAPPED, Given(graceful_shutdown_deadline=5.0), 5.0),
    ],
)
def test_a_wrapped_command_has_its_own_time(argv: Given, env: Given, deadline: float | None) -> None:
    """Signals are only passed on, unless somebody asked for a deadline."""
    assert resolve(argv, env, wrapped_plan(["x"])).graceful_deadline == deadline


def test_a_wrapped_command_has_no_readiness_file() -> None:
    """Unless somebody asks for one: two wrapped commands would take each other's."""
    assert resolve(WRAPPED, NOTHING, plan()).readiness_file is None
    assert resolve(WRAPPED, Given(readiness_file="/e"), plan()).readiness_file == "/e"


def test_wrapped_plan() -> None:
    """The wrapped command runs once, as the main process."""
    assert wrapped_plan(["/usr/bin/env", "a", "b"]) == Plan(
        processes=(
            ProcessSpec(
                "env",
                "/usr/bin/env",
                ("a", "b"),
                restart=Restart(policy=RestartPolicy.NEVER, main=True),
                wrapped=True,
            ),
        ),
        dialect="command",
    )


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("./my app", "my_app"),
        ("/x/../..", "command"),
        ("/x/", "command"),
        ("procwrap", "command"),
        ("-é", "_"),
        ("y" * 300, "y" * 100),
    ],
)
def test_wrapped_name(command: str, name: str) -> None:
    """Whatever the command is called, its process has a name that a config could give."""
    assert wrapped_plan([command]).processes[0].name == name


def test_prommerge() -> None:
    """Each of its settings is asked for by itself, and the command line goes first."""
    argv = Given(prommerge_async=False, prommerge_omit_meta=True, prommerge_sort=False)
    env = Given(prommerge_async=True, prommerge_empty_on_failure=True, prommerge_suppress_errors=True)
    assert resolve(NOTHING, NOTHING, plan()).prommerge == MergeSettings()
    assert resolve(argv, env, plan()).prommerge == MergeSettings(
        empty_on_failure=True, concurrent=False, sort=False, omit_meta=True, suppress_errors=True
    )


def test_events_go_nowhere() -> None:
    """Labels alone are no server."""
    assert resolve(NOTHING, Given(pod="p", event_labels=(("a", "b"),)), plan()).events_udp is None


def test_where_events_go() -> None:
    """The environment goes before the config, and brings the labels in any case."""
    env = Given(
        pod="web-1",
        node="n1",
        event_labels=(("k8s-cluster", "eu1"), ("pod", "mine")),
        event_labels_file="/labels",
        event_labels_exclude=("hash",),
    )
    labels = (("pod", "web-1"), ("namespace", ""), ("node", "n1"), ("k8s_cluster", "eu1"), ("pod", "mine"))
    found = resolve(NOTHING, env, plan(events_udp=("config", 1)))
    assert found.events_udp == UdpEvents("config", 1)
    assert found.event_labels == EventLabels(labels, "/labels", frozenset({"hash"}))
    other = resolve(NOTHING, evolve(env, events_udp=("env", 2)), plan(events_udp=("config", 1)))
    assert str(other.events_udp) == "env:2"


ELASTIC = Elasticsearch("http://u:p@config", "mine", "config-key")


@pytest.mark.parametrize(
    ("env", "config", "expected"),
    [
        (NOTHING, Elasticsearch("", "mine"), None),
        (Given(elasticsearch_api_key="k"), None, None),
        (Given(elasticsearch_url="http://u:p@env"), None, Elasticsearch("http://u:p@env")),
        (NOTHING, ELASTIC, Elasticsearch("http://config", "mine", "config-key")),
        (
            Given(elasticsearch_url="http://u:p@env/x", elasticsearch_api_key="k"),
            ELASTIC,
            Elasticsearch("http://env/x", "mine", "k"),
        ),
    ],
)
def test_where_events_are_kept(
    env: Given, config: Elasticsearch | None, expected: Elasticsearch | None
) -> None:
    """The environment goes before the config value by value, and an API key before user and password."""
    assert resolve(NOTHING, env, plan(elasticsearch=config)).elasticsearch == expected


def test_an_address_is_written_as_it_is_read() -> None:
    """IPv6 in brackets."""
    assert [str(UdpEvents(host, 9)) for host in ("h", "::1")] == ["h:9", "[::1]:9"]
