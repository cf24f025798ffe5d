from __future__ import annotations

import signal
from collections.abc import Sequence

import pytest

from procwrap.core.events import (
    Declared,
    End,
    Ended,
    Event,
    Hurried,
    Level,
    Notice,
    ProbeResult,
    RestartCause,
    Restarting,
    RoundEnded,
    ShutdownBegan,
    SignalReceived,
)
from procwrap.core.preempted import Preempted, PreemptionCounted, PreemptionRevoked, PreemptionWatched
from procwrap.core.snapshot import Snapshot, reduce
from procwrap.sinks.seedevents import SeedEvent, SeedEvents
from procwrap.spec.process import ProcessSpec, Stop

API = ProcessSpec("api", "/bin/api", ("--password=hunter22", "--dsn", "x://u:pw@h/d", "tok3n"),
                  envs=(("API_TOKEN", "tok3n"),))  # fmt: skip
HARD = ProcessSpec("hard", "/bin/hard", stop=Stop(signal=signal.SIGKILL))


def told(events: Sequence[Event], *, successes: bool = False) -> list[SeedEvent]:
    """What is told of these events, one after the other."""
    translator = SeedEvents({spec.name: spec for spec in (API, HARD)}, successes)
    snapshot, found = Snapshot(), []
    for event in [Declared(("api", "hard")), *events]:
        snapshot = reduce(snapshot, event)
        found += translator.of(snapshot, event)
    return found


def round_of(*results: bool, check: str = "readiness") -> RoundEnded:
    """A round of probes that succeeded or not."""
    kinds = ("http", "tcp", "exec")
    made = tuple(
        ProbeResult(kind, good, "" if good else "no", 0.1) for kind, good in zip(kinds, results, strict=False)
    )
    return RoundEnded("api", check, made, 1, 3, counted=True, recovered=False, wall=0.0)


def ended(name: str, number: int) -> Ended:
    """The end of a process by a signal."""
    return Ended(name, 1, End(signal=number), 1.0, 0.0, 0.0, success=False)


def signals(events: Sequence[Event]) -> list[str]:
    """The signals of all termination events."""
    assert all(event.name == "termination" for event in told(events))
    return [event.labels["signal"] for event in told(events)]


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (signal.SIGTERM, "termination"),
        (signal.SIGQUIT, "termination"),
        (signal.SIGINT, "interrupt"),
        (signal.SIGUSR1, "usr"),
        (signal.SIGUSR2, "usr"),
    ],
)
def test_signals(number: int, name: str) -> None:
    """Each signal to procwrap is told by the seed's name."""
    assert told([SignalReceived(number)]) == [SeedEvent("termination", {"signal": name})]


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGWINCH, 40])
def test_other_signals(number: int) -> None:
    """Others mean nothing to the server."""
    assert told([SignalReceived(number)]) == []


def test_a_forced_kill_is_told_once() -> None:
    """However many processes had to be killed."""
    events = [
        SignalReceived(15),
        ShutdownBegan("SIGTERM", 15),
        ended("api", 15),
        ended("api", 9),
        ended("api", 9),
    ]
    assert signals(events) == ["termination", "kill"]


def test_after_sigint_no_kill_is_told() -> None:
    """It is the interrupt itself, as with the seed."""
    events = [SignalReceived(2), ShutdownBegan("SIGINT", 2), Hurried("SIGINT"), ended("api", 9)]
    assert signals(events) == ["interrupt"]


def test_who_wants_sigkill_is_not_forced() -> None:
    """A process whose stop signal is SIGKILL ended as it was asked to."""
    assert signals([ShutdownBegan("SIGTERM", 15), ended("hard", 9)]) == []


def test_a_kill_while_all_goes_on_is_none() -> None:
    """The kernel may have done it, or a failed probe."""
    assert told([ended("api", 9)]) == []


def test_failed_probes() -> None:
    """Each failed probe is an event, successful ones are not."""
    assert told([round_of(True, False, False)]) == [
        SeedEvent("readiness", {"probe": "tcp", "process_name": "api", "status": "false"}),
        SeedEvent("readiness", {"probe": "exec", "process_name": "api", "status": "false"}),
    ]


def test_successful_probes_with_debug() -> None:
    """Then every probe is."""
    statuses = [event.labels["status"] for event in told([round_of(True, False)], successes=True)]
    assert statuses == ["true", "false"]


@pytest.mark.parametrize("cause", [RestartCause.PROBE, RestartCause.OOM, RestartCause.LOCK])
def test_restarts(cause: RestartCause) -> None:
    """A process that is restarted because of its probes or memory is told with its command, masked."""
    command = "/bin/api --password=*** --dsn *** ***"
    assert told([Restarting("api", cause, 1.0, "")]) == [
        SeedEvent("restart", {"command": command, "process_name": "api"})
    ]


@pytest.mark.parametrize("cause", [RestartCause.EXIT, RestartCause.CANNOT_START])
def test_other_restarts(cause: RestartCause) -> None:
    """One that ended by itself is not."""
    assert told([Restarting("api", cause, 1.0, "")]) == []


def test_preemption() -> None:
    """A counter that begins with nothing; what happened, and one more of it; then each second of a minute."""
    events = [PreemptionWatched(), Preempted("soon"), PreemptionCounted(), PreemptionRevoked()]
    assert told(events) == [
        SeedEvent("preempted", op="inc", value=0),
        SeedEvent("preempted", op="event", value=1),
        SeedEvent("preempted", op="inc", value=1),
        SeedEvent("preemption_count", op="event", value=1),
    ]


def test_the_rest_is_silent() -> None:
    """What procwrap says in its log is no event."""
    assert told([Notice(Level.ERROR, "x"), Hurried("x")]) == []
