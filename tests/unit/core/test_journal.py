from __future__ import annotations

from typing import Any

import pytest

from procwrap.core.changes import Changes
from procwrap.core.entries import entry
from procwrap.core.events import (
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
    Spawned,
    StateChanged,
    UsageSampled,
)
from procwrap.core.journal import MOST, Journal
from procwrap.core.lifecycle import State
from procwrap.core.locks import LockChange, LockChanged
from procwrap.core.preempted import Preempted, PreemptionCounted, PreemptionRevoked
from procwrap.core.reloads import Forgotten, Reloaded
from procwrap.core.snapshot import Snapshot

WALL = 1_795_291_384.567


def checked(failures: int, *, recovered: bool = False, counted: bool = True) -> RoundEnded:
    """A round of a check that condemns after three failures."""
    result = ProbeResult("tcp", not failures, "" if not failures else "refused", 0.1)
    return RoundEnded("api", "readiness", (result,), failures, 3, counted, recovered, WALL)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            StateChanged("api", State.RUNNING, 1.0, WALL),
            {"event": "state", "process": "api", "state": "running"},
        ),
        (Spawned("api", 31, 1.0, WALL), {"event": "started", "process": "api", "pid": 31}),
        (
            Ended("api", 31, End(signal=9), 2.5, 1.0, WALL, False),
            {"event": "ended", "process": "api", "code": None, "signal": "SIGKILL", "seconds": 2.5},
        ),
        (
            Restarting("api", RestartCause.PROBE, 0.5, "refused"),
            {"event": "restarting", "process": "api", "cause": "probe", "seconds": 0.5, "reason": "refused"},
        ),
        (
            LockChanged("api", LockChange.LOST, "silence"),
            {"event": "lock", "process": "api", "change": "lost", "reason": "silence"},
        ),
        (ShutdownBegan("SIGTERM", 15), {"event": "shutdown", "reason": "SIGTERM"}),
        (Hurried("SIGTERM"), {"event": "hurried", "reason": "SIGTERM"}),
        (SignalReceived(1), {"event": "signal", "signal": "SIGHUP"}),
        (Preempted("soon"), {"event": "preempted", "reason": "soon"}),
        (PreemptionRevoked(), {"event": "preemptionRevoked"}),
        (Reloaded(Changes(added=("new",))), {"event": "reloaded"}),
        (Forgotten("api"), {"event": "removed", "process": "api"}),
        (
            Notice(Level.ERROR, "too much memory", "api"),
            {"event": "notice", "process": "api", "level": "error", "reason": "too much memory"},
        ),
        (checked(1), {"event": "check", "process": "api", "healthy": False, "failures": 1}),
        (checked(3), {"event": "check", "healthy": False, "failures": 3, "threshold": 3}),
        (checked(0, recovered=True), {"event": "check", "healthy": True, "reason": ""}),
    ],
)
def test_what_is_written(event: Event, told: dict[str, object]) -> None:
    """Every change in the life of a process or of the host has its entry."""
    written = entry(event)
    assert written is not None
    assert written.items() >= told.items()


@pytest.mark.parametrize(
    "event",
    [
        checked(0), checked(2), checked(1, counted=False), UsageSampled({}), PreemptionCounted(),
        Notice(Level.INFO, "all is well"),
    ],
)  # fmt: skip
def test_what_is_not_written(event: Event) -> None:
    """What comes all the time would push out what is worth reading."""
    assert entry(event) is None


def filled(count: int) -> Journal:
    """A journal of so many starts."""
    journal = Journal(lambda: WALL)
    for pid in range(count):
        journal.note(Snapshot(), Spawned("api", pid, 1.0, WALL + pid))
    return journal


def pids(entries: list[dict[str, Any]]) -> list[int]:
    return [written["pid"] for written in entries]


def test_ids_follow_each_other() -> None:
    """From the time on at which the journal began, so that those of the next run are higher."""
    entries, missing = filled(3).since(None)
    assert ([written["id"] for written in entries], missing) == (
        [1_795_291_384_567, 1_795_291_384_568, 1_795_291_384_569],
        0,
    )
    assert entries[1]["time"] == "2026-11-21T20:03:05.567Z"


def test_the_last_thousand_are_kept() -> None:
    """A journal is no archive."""
    entries, _ = filled(MOST + 10).since(None)
    assert pids(entries) == list(range(10, MOST + 10))


def test_resuming() -> None:
    """A client gets what came after the last entry that it has seen, and learns how much is gone for good."""
    journal = filled(MOST + 10)
    first = 1_795_291_384_567
    assert pids(journal.since(first + MOST + 7)[0]) == [MOST + 8, MOST + 9]
    assert journal.since(first + MOST + 9) == ([], 0)
    entries, missing = journal.since(first + 4)
    assert (len(entries), missing) == (MOST, 5)


def test_resuming_after_a_restart_of_procwrap() -> None:
    """An id of an earlier run, or one that was never given, begins with all there is."""
    journal = filled(3)
    for last in (5, 1_795_291_384_566, 1_795_291_384_570, 10**14):
        entries, missing = journal.since(last)
        assert (pids(entries), missing) == ([0, 1, 2], 0)


def test_following() -> None:
    """Who follows gets each entry, until it has enough."""
    journal = filled(1)
    taken: list[Any] = []
    forget = journal.follow(taken.append)
    journal.note(Snapshot(), Spawned("api", 7, 1.0, WALL))
    forget()
    forget()
    journal.note(Snapshot(), Spawned("api", 8, 1.0, WALL))
    assert pids(taken) == [7]
