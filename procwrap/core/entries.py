"""What is written into the journal about each event: as data, and silent about what comes all the time."""

from __future__ import annotations

from functools import singledispatch

from procwrap.core.changes import summary
from procwrap.core.events import (
    Ended,
    Event,
    Hurried,
    Level,
    Notice,
    Restarting,
    RoundEnded,
    ShutdownBegan,
    SignalReceived,
    Spawned,
    StateChanged,
    signal_name,
)
from procwrap.core.fullview import end_told
from procwrap.core.locks import LockChanged
from procwrap.core.preempted import Preempted, PreemptionRevoked
from procwrap.core.reloads import Forgotten, Reloaded
from procwrap.core.verdicts import Json


def entry(event: Event) -> Json | None:
    """Return what to write about an event, None for nothing.

    ``event`` says what happened and ``process`` to whom, if to one; the rest depends on that. Commands are
    not part of it, and reasons have lost their passwords where they came about.
    """
    return _entry(event)


@singledispatch
def _entry(event: object) -> Json | None:
    return None


@_entry.register
def _(event: StateChanged) -> Json:
    return {"event": "state", "process": event.name, "state": event.state.value, "reason": event.reason}


@_entry.register
def _(event: Spawned) -> Json:
    return {"event": "started", "process": event.name, "pid": event.pid}


@_entry.register
def _(event: Ended) -> Json:
    return {
        "event": "ended",
        "process": event.name,
        "pid": event.pid,
        **end_told(event.end),
        "success": event.success,
        "seconds": round(event.ran_for, 3),
    }


@_entry.register
def _(event: Restarting) -> Json:
    return {
        "event": "restarting",
        "process": event.name,
        "cause": event.cause.value,
        "seconds": round(event.delay, 3),
        "reason": event.reason,
    }


@_entry.register
def _(event: RoundEnded) -> Json | None:
    first_or_last = event.counted and event.failures in {1, event.threshold}
    if not (event.recovered if event.succeeded else first_or_last):
        return None
    return {
        "event": "check",
        "process": event.name,
        "check": event.check,
        "healthy": event.succeeded,
        "reason": event.reason,
        "failures": event.failures,
        "threshold": event.threshold,
    }


@_entry.register
def _(event: LockChanged) -> Json:
    return {"event": "lock", "process": event.name, "change": event.change.value, "reason": event.reason}


@_entry.register
def _(event: ShutdownBegan) -> Json:
    return {"event": "shutdown", "reason": event.reason}


@_entry.register
def _(event: Hurried) -> Json:
    return {"event": "hurried", "reason": event.reason}


@_entry.register
def _(event: Reloaded) -> Json:
    return {"event": "reloaded", "reason": summary(event.changes)}


@_entry.register
def _(event: Forgotten) -> Json:
    return {"event": "removed", "process": event.name}


@_entry.register
def _(event: SignalReceived) -> Json:
    return {"event": "signal", "signal": signal_name(event.signal)}


@_entry.register
def _(event: Preempted) -> Json:
    return {"event": "preempted", "reason": event.reason}


@_entry.register
def _(event: PreemptionRevoked) -> Json:
    return {"event": "preemptionRevoked"}


@_entry.register
def _(event: Notice) -> Json | None:
    if event.level in {Level.DEBUG, Level.INFO}:
        return None
    about: Json = {"process": event.about} if event.about else {}
    return {"event": "notice", **about, "level": event.level.value, "reason": event.text}
