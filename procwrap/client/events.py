"""``procwrap events``: what happened lately in the lives of the processes, and what happens from now on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from procwrap.client import crowd
from procwrap.client.call import Call
from procwrap.client.fleet import text
from procwrap.client.following import DROPPED, Breaks, follow
from procwrap.client.sse import Event
from procwrap.core.printable import printable
from procwrap.errors import ExitStatus, NoHostError

LOOK = 1.0
"""Seconds between two looks whether stdout is still read."""

_TOLD = ("id", "time", "event", "process", "reason", "state")


def run(call: Call) -> int:
    """Print them."""
    if call.asked.flag("follow"):
        return _follow(call)
    found = call.host.ask("/api/events").document.get("events")
    if not isinstance(found, list):
        raise NoHostError(f"cannot talk to what is at {call.host.name}: its answer holds no events")
    for entry in found:
        if isinstance(entry, dict):
            _print(call, entry)
    return ExitStatus.DONE


def line(entry: Mapping[str, object]) -> str:
    """Write an event: when, about whom, what, its details, and why."""
    details = [text(entry, "state")]
    details += [
        f"{key}={_value(value)}" for key, value in entry.items() if key not in _TOLD and value is not None
    ]
    words = [
        text(entry, "time"),
        f"{text(entry, 'process') or 'procwrap':<16}",
        f"{text(entry, 'event'):<10}",
        " ".join(filter(None, details)),
        text(entry, "reason"),
    ]
    return printable("  ".join(filter(None, words))).rstrip()


def _value(value: object) -> str:
    if isinstance(value, str) and value and not any(char in ' "=' for char in value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _print(call: Call, entry: Mapping[str, object]) -> None:
    call.screen.line(json.dumps(entry) if call.asked.flag("json") else line(entry))


def _follow(call: Call) -> int:
    def events() -> Iterator[Event]:
        return follow(lambda last: call.host.stream("/api/events?follow", last), call.host.name, call.clock)

    comers: crowd.Crowd[Event] = crowd.Crowd()
    comers.add("events", events)
    breaks = Breaks(call)
    while comers.left:
        item = comers.next(LOOK)
        if item is None and not call.screen.is_read():
            break
        if item is not None and item.error is not None:
            raise item.error
        event = item.brought if item is not None else None
        if event is not None:
            _take(call, event, breaks)
            call.screen.flush()
    return ExitStatus.DONE


def _take(call: Call, event: Event, breaks: Breaks) -> None:
    if breaks.take(event):
        return
    if event.kind == DROPPED:
        call.screen.say(f"events were left out, for they are read too slowly here: {event.data}")
    else:
        _print(call, entry_of(event, call.host.name))


def entry_of(event: Event, name: str) -> Mapping[str, object]:
    """Return the object that an event holds.

    Raises:
        NoHostError: it holds none.
    """
    try:
        entry = json.loads(event.data)
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict):
        raise NoHostError(f"cannot talk to what is at {name}: an event of it is no JSON object")
    return entry
