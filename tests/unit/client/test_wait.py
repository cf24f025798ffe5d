from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from procwrap.client import wait
from procwrap.client.sse import Event
from procwrap.errors import NoHostError, OrderRefusedError
from tests.support.client import STAY, Hands, Tried, try_out, view

GONE = NoHostError("no procwrap at test", gone=True)


def snapshot(*views: dict[str, Any], **host: object) -> Event:
    """Return the first event of /live."""
    return Event("snapshot", json.dumps({"host": {"healthy": True, **host}, "processes": views}))


def change(name: str, state: str) -> Event:
    """Return the event of a process that has changed."""
    return Event("process", json.dumps({"process": view(name, state)}))


class Passing(Hands):
    """Time that passes whenever somebody looks."""

    def clock(self) -> Any:
        """Return it as a clock."""
        ticks: Iterator[float] = itertools.count(0.0, 0.001)
        return super().clock()._replace(now=lambda: next(ticks))


def tried(line: str, *streams: list[Any], hands: Hands | None = None) -> Tried:
    """Wait."""
    return try_out(wait.run, line, {"/live": list(streams)}, hands=hands or Passing())


def test_it_is_true_already() -> None:
    """Nothing is said."""
    found = tried("wait", [snapshot(view("a"))])
    assert (found.code, found.out, found.err) == (0, "", "")


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("wait a b", [change("a", "running"), change("b", "running")]),
        ("wait --for running a", [change("a", "unhealthy")]),
        ("wait -for=exited b", [change("b", "stopping"), change("b", "stopped")]),
        ("wait", [Event("round", "{}"), Event("host", '{"healthy": true}')]),
    ],
)
def test_it_comes_true(line: str, changes: list[Event]) -> None:
    """By the last of the changes, and not before."""
    first = snapshot(view("a", "waiting"), view("b", "starting"), healthy=False)
    assert tried(line, [first, *changes]).code == 0
    assert tried(f"{line} --timeout 20ms", [first, *changes[:-1], STAY]).code == 1


def test_the_deadline() -> None:
    """It says who is missing and why."""
    first = snapshot(view("a"), view("b", "starting", reason="no route"), healthy=False)
    found = tried("wait --timeout 20ms", [first, STAY])
    assert (found.code, found.out) == (1, "")
    assert found.err == "not ready after 0.02s: b is starting: no route\n"


def test_many_are_missing() -> None:
    """Nobody reads a hundred lines."""
    first = snapshot(*[view(f"p{n}", "waiting") for n in range(100)], healthy=False)
    lines = tried("wait --timeout 20ms", [first, STAY]).err.splitlines()
    assert len(lines) == wait.MOST_SHOWN + 1
    assert lines[-1] == "not ready after 0.02s: 80 more"


def test_a_name_of_nobody() -> None:
    """It would wait in vain."""
    with pytest.raises(OrderRefusedError, match='no process is called "x"'):
        tried("wait a x", [snapshot(view("a"))])


def test_it_may_begin_before_procwrap_does() -> None:
    """For those who want it to be ready, or to run something."""
    assert tried("wait", [GONE], [GONE], [snapshot(view("a"))]).code == 0
    assert tried("wait --for running", [GONE], [snapshot(view("a"))]).code == 0
    with pytest.raises(NoHostError, match="no procwrap at test"):
        tried("wait --for exited", [GONE])


def test_procwrap_never_came() -> None:
    """The exit code is that of no host."""
    with pytest.raises(NoHostError, match="no procwrap at test"):
        tried("wait --timeout 20ms", [GONE])


def test_procwrap_has_ended() -> None:
    """So have all that it ran."""
    assert tried("wait --for exited a", [snapshot(view("a"))], [GONE]).code == 0


def test_the_connection_was_lost_for_a_while() -> None:
    """What is true is told anew."""
    first = snapshot(view("a", "starting"), healthy=False)
    assert (
        tried("wait", [first, NoHostError("it broke")], [NoHostError("it broke")], [snapshot(view("a"))]).code
        == 0
    )


def test_garbage() -> None:
    """It is not that of a procwrap."""
    with pytest.raises(NoHostError, match="is no JSON object"):
        tried("wait", [Event("snapshot", "[]")])


def test_nothing_said_in_time() -> None:
    """A stream without a snapshot is no answer."""
    with pytest.raises(NoHostError):
        tried("wait --timeout 20ms", [Event("usage", "{}"), STAY])
