from __future__ import annotations

import json
from typing import Any

import pytest

from procwrap.client import events
from procwrap.client.host import Answer
from procwrap.client.sse import Event
from procwrap.errors import NoHostError, OrderRefusedError
from tests.support.client import SpokenHost, Tried, try_out

WHEN = "2026-11-21T20:03:04.567Z"
STATE = {
    "id": 1,
    "time": WHEN,
    "event": "state",
    "process": "api",
    "state": "unhealthy",
    "reason": "no route\x1b",
}
ENDED = {
    "id": 2, "time": WHEN, "event": "ended", "process": "api", "pid": 31, "code": None, "signal": "SIGTERM",
    "success": True, "note": "a b",
}  # fmt: skip
SHUTDOWN = {"id": 3, "time": WHEN, "event": "shutdown", "reason": "SIGTERM"}
DONE = OrderRefusedError("that is all")


def tried(line: str, says: dict[str, Any] | SpokenHost) -> Tried:
    """Run ``procwrap events``."""
    return try_out(events.run, line, says)


def test_lines() -> None:
    """When, who, what, its details and why; nothing that a terminal obeys."""
    found = tried("events", {"/api/events": Answer(200, {"events": [STATE, ENDED, SHUTDOWN]})})
    assert found.out.splitlines() == [
        f"{WHEN}  api               state       unhealthy  no route\\x1b",
        f'{WHEN}  api               ended       pid=31 signal=SIGTERM success=true note="a b"',
        f"{WHEN}  procwrap          shutdown    SIGTERM",
    ]
    assert found.code == 0


def test_json() -> None:
    """A line for each."""
    found = tried("events --json", {"/api/events": Answer(200, {"events": [STATE, ENDED]})})
    assert [json.loads(line) for line in found.out.splitlines()] == [STATE, ENDED]


@pytest.mark.parametrize("told", [{}, {"events": 5}])
def test_no_events(told: dict[str, object]) -> None:
    """An answer without any is not that of a procwrap."""
    with pytest.raises(NoHostError, match="holds no events"):
        tried("events", {"/api/events": Answer(200, told)})


@pytest.mark.parametrize("entry", [{}, {"time": 5, "event": [], "process": {}, "x": {"y": [1]}}])
def test_whatever_a_host_says(entry: dict[str, object]) -> None:
    """It is a line."""
    assert events.line(entry).isprintable()


def test_following() -> None:
    """What is missed while the connection is lost comes after it, for the host is told what came last."""
    streams = [
        [Event("lifecycle", json.dumps(STATE), "1"), NoHostError("it broke")],
        [Event("lifecycle", json.dumps(ENDED), "2"), Event("dropped", "7", "2")],
        [DONE],
    ]
    host = SpokenHost({"/api/events?follow": streams})
    out: list[str] = []
    with pytest.raises(OrderRefusedError):
        try_out(lambda call: collected(call, out), "events -f --json", host)
    printed, messages = out
    assert [json.loads(line) for line in printed.splitlines()] == [STATE, ENDED]
    assert host.last_ids == ["", "1", "2"]
    assert messages.splitlines() == [
        "the connection to /run/test.sock is lost: it broke; trying again",
        "connected to /run/test.sock again",
        "events were left out, for they are read too slowly here: 7",
        "the connection to /run/test.sock is lost: procwrap has ended it; trying again",
    ]


def collected(call: Any, out: list[str]) -> int:
    """Run it, and keep what it printed, however it ends."""
    try:
        return events.run(call)
    finally:
        out += [call.screen._out.getvalue(), call.screen._err.getvalue()]


@pytest.mark.parametrize("data", ["", "[]", "{", "5"])
def test_an_event_that_is_none(data: str) -> None:
    """It is not that of a procwrap."""
    with pytest.raises(NoHostError, match="is no JSON object"):
        tried("events -f", {"/api/events?follow": [[Event("lifecycle", data)]]})
