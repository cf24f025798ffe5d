from __future__ import annotations

from typing import Any

import pytest

from procwrap.client.truth import Truth
from procwrap.core.lifecycle import State
from procwrap.errors import NoHostError
from tests.support.client import view


def truth(*views: dict[str, Any], **host: object) -> Truth:
    """Return what a snapshot tells."""
    made = Truth()
    made.take("snapshot", {"host": {"healthy": True, **host}, "processes": list(views)}, "test")
    return made


@pytest.mark.parametrize(
    ("condition", "states"),
    [
        ("ready", {"running", "exited"}),
        ("running", {"running", "unhealthy", "starting", "exited"}),
        ("exited", {"exited", "failed", "stopped", "skipped"}),
    ],
)
def test_what_counts(condition: str, states: set[str]) -> None:
    """In every state of a process."""
    known = {state.value for state in State}
    assert {state for state in known if not truth(view("a", state)).missing(condition, ["a"])} == states


def test_what_is_missing_and_why() -> None:
    """Of those who were named, or of all."""
    made = truth(view("a"), view("b", "starting", reason="no route"), view("c", "backoff"))
    assert made.missing("ready", ["a", "b"]) == {"b": "is starting: no route"}
    assert made.missing("exited", ["a"]) == {"a": "is running"}
    assert made.missing("running", []) == {"c": "is backoff"}


def test_procwrap_itself_decides_when_it_is_ready() -> None:
    """Without a name: one that stands by for a lock does not count, say."""
    assert truth(view("a", "standby")).missing("ready", []) == {}
    assert truth(view("a", "standby"), healthy=False).missing("ready", []) == {"a": "is standby"}
    assert truth(view("a"), healthy=False).missing("ready", []) == {"procwrap": "is not ready yet"}
    assert truth(view("a"), healthy=False, shutdown=True).missing("ready", []) == {
        "procwrap": "is shutting down"
    }
    assert "preempted" in truth(view("a"), healthy=False, preempted=True).missing("ready", [])["procwrap"]


def test_changes() -> None:
    """Each event of /live changes what is true; those that tell nothing about it are left alone."""
    made = truth(view("a", "starting"), view("b"), healthy=False)
    made.take("process", {"process": view("a")}, "test")
    made.take("gone", {"name": "b"}, "test")
    made.take("usage", {"usages": {}}, "test")
    assert made.missing("ready", ["a", "b"]) == {"b": "is no longer there"}
    assert made.missing("exited", ["b"]) == {}
    made.take("host", {"healthy": True}, "test")
    assert made.missing("ready", []) == {}


def test_a_name_of_nobody() -> None:
    """The right one is shown."""
    assert truth(view("worker")).unknown(["worker", "wroker"]) == [
        'no process is called "wroker": did you mean worker?'
    ]


def test_garbage() -> None:
    """A snapshot has processes; a change of nobody changes nothing."""
    with pytest.raises(NoHostError):
        Truth().take("snapshot", {}, "test")
    made = truth(view("a"))
    made.take("process", {"process": 5}, "test")
    made.take("gone", {}, "test")
    assert made.missing("ready", []) == {}
