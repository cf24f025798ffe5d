"""What procwrap says about each event: level, words and fields; silent about what nobody needs to read."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

from attrs import frozen

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
from procwrap.core.lifecycle import State
from procwrap.core.locks import LockChange, LockChanged
from procwrap.core.preempted import Preempted, PreemptionRevoked
from procwrap.core.reloads import Reloaded


@frozen
class Message:
    """One message of procwrap itself."""

    level: Level
    text: str
    fields: Mapping[str, object]


def message(event: Event) -> Message | None:
    """Return what to say about an event, None for nothing."""
    return _message(event)


@singledispatch
def _message(event: object) -> Message | None:
    return None


@_message.register
def _(event: Notice) -> Message:
    return Message(event.level, event.text, {"process": event.about} if event.about else {})


@_message.register
def _(event: Spawned) -> Message:
    return Message(Level.INFO, "started", {"process": event.name, "child": event.pid})


@_message.register
def _(event: Ended) -> Message:
    level = Level.INFO if event.success else Level.ERROR if event.end.reason else Level.WARNING
    fields: dict[str, object] = {"process": event.name}
    if event.pid is not None:
        fields |= {"child": event.pid, "exit_code": event.end.exit_code, "ran_for": f"{event.ran_for:.3f}s"}
    return Message(level, str(event.end), fields)


@_message.register
def _(event: Restarting) -> Message:
    when = f"in {event.delay:g}s" if event.delay else "at once"
    return Message(Level.INFO, f"restarts {when}", {"process": event.name, "cause": event.cause.value})


_WORTH_SAYING = {
    State.WAITING: Level.INFO,
    State.STANDBY: Level.INFO,
    State.RUNNING: Level.DEBUG,
    State.UNHEALTHY: Level.DEBUG,
    State.STOPPING: Level.INFO,
    State.FAILED: Level.ERROR,
    State.SKIPPED: Level.ERROR,
}


@_message.register
def _(event: StateChanged) -> Message | None:
    level = _WORTH_SAYING.get(event.state)
    if level is None or (event.state is State.WAITING and not event.reason):
        return None
    text = f"{event.state.value}: {event.reason}" if event.reason else event.state.value
    return Message(level, text, {"process": event.name})


_LOCK = {
    LockChange.TAKEN: (Level.INFO, "holds the shared lock"),
    LockChange.GIVEN_BACK: (Level.INFO, "gave the shared lock back"),
    LockChange.LOST: (Level.WARNING, "lost the shared lock"),
}


@_message.register
def _(event: LockChanged) -> Message:
    level, text = _LOCK[event.change]
    return Message(level, f"{text}: {event.reason}" if event.reason else text, {"process": event.name})


@_message.register
def _(event: RoundEnded) -> Message | None:
    fields: dict[str, object] = {"process": event.name, "check": event.check}
    if event.succeeded:
        return Message(Level.INFO, "recovered", fields) if event.recovered else None
    if event.counted:
        fields["failures"] = f"{event.failures}/{event.threshold}"
    return Message(_severity(event), event.reason, fields)


def _severity(event: RoundEnded) -> Level:
    if not event.counted:
        return Level.DEBUG
    return Level.ERROR if event.failures >= event.threshold else Level.WARNING


@_message.register
def _(event: ShutdownBegan) -> Message:
    return Message(Level.INFO, f"shutting down: {event.reason}", {})


@_message.register
def _(event: Hurried) -> Message:
    return Message(Level.WARNING, f"no more grace: {event.reason}", {})


@_message.register
def _(event: Reloaded) -> Message:
    return Message(Level.INFO, f"reloaded: {summary(event.changes)}", {})


@_message.register
def _(event: SignalReceived) -> Message:
    return Message(Level.DEBUG, f"received {signal_name(event.signal)}", {})


@_message.register
def _(event: Preempted) -> Message:
    return Message(Level.WARNING, f"preempted: {event.reason}", {})


@_message.register
def _(event: PreemptionRevoked) -> Message:
    return Message(Level.WARNING, "no longer preempted: it was taken back", {})
