"""What processes used and how their checks went of late: bounded, for whoever draws it.

A process has one record, kept over its restarts and forgotten with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

from attrs import define, field, frozen

from procwrap.core.events import (
    Ended,
    Event,
    Notice,
    Restarting,
    RoundEnded,
    Spawned,
    StateChanged,
    UsageSampled,
)
from procwrap.core.limits import Usage
from procwrap.core.snapshot import Snapshot
from procwrap.core.verdicts import Json

USAGES = 120
"""Samples kept for each process: ten minutes of one every five seconds."""

ROUNDS = 60
"""Rounds kept for each check of a process."""

OLDEST = 600.0
"""Seconds after which a sample is shown no more; where many processes run, samples are rarer."""


class UsagePoint(NamedTuple):
    """One sample; ``cpu`` is the fraction of a core since the one before it, None where that is unknown."""

    at: float
    cpu: float | None
    memory: int


class RoundPoint(NamedTuple):
    """One round of a check; ``seconds`` is what its slowest probe took."""

    at: float
    healthy: bool
    seconds: float


@frozen
class Past:
    """The past of one process as it was at one moment."""

    usages: tuple[UsagePoint, ...] = ()
    rounds: Mapping[str, tuple[RoundPoint, ...]] = field(factory=dict)

    def told(self, now: float) -> Json:
        """Return what a client reads: points whose times are in seconds before now, the oldest first."""
        return {
            "usage": [
                [round(now - point.at, 1), point.cpu, point.memory]
                for point in self.usages
                if now - point.at <= OLDEST
            ],
            "rounds": {
                check: [[round(now - point.at, 1), point.healthy, point.seconds] for point in points]
                for check, points in self.rounds.items()
            },
        }


@define(eq=False)
class _Record:
    usages: deque[UsagePoint] = field(factory=lambda: deque(maxlen=USAGES))
    rounds: dict[str, deque[RoundPoint]] = field(factory=dict)
    _spent: float = 0.0
    _spent_at: float | None = None
    """When the current run had spent so much; None where nobody has seen it begin."""

    def begin_run(self, now: float) -> None:
        self._spent, self._spent_at = 0.0, now

    def note_usage(self, usage: Usage, now: float) -> None:
        cpu = None
        if self._spent_at is not None and now > self._spent_at:
            # It can be less than before: see Usage.
            cpu = round(max(0.0, usage.cpu - self._spent) / (now - self._spent_at), 4)
        self._spent, self._spent_at = usage.cpu, now
        self.usages.append(UsagePoint(now, cpu, usage.memory))

    def note_round(self, event: RoundEnded, now: float) -> None:
        points = self.rounds.get(event.check)
        if points is None:
            points = self.rounds[event.check] = deque(maxlen=ROUNDS)
        points.append(RoundPoint(now, event.succeeded, seconds_of(event)))


def seconds_of(event: RoundEnded) -> float:
    """Return what the slowest probe of a round took."""
    return round(max((result.took for result in event.results), default=0.0), 6)


@define(eq=False)
class History:
    """Keeps what the board tells.

    Args:
        now: seconds of the reactor's clock.
    """

    _now: Callable[[], float]
    _by_name: dict[str, _Record] = field(factory=dict)

    def of(self, name: str) -> Past:
        """Return the past of a process up to this moment."""
        record = self._by_name.get(name)
        if record is None:
            return Past()
        return Past(tuple(record.usages), {check: tuple(kept) for check, kept in record.rounds.items()})

    def cpu(self, name: str) -> float | None:
        """Return the fraction of a core that a process used between the last two samples."""
        record = self._by_name.get(name)
        return record.usages[-1].cpu if record is not None and record.usages else None

    def note(self, snapshot: Snapshot, event: Event) -> None:
        """Take note of an event; a watcher of the board."""
        match event:
            case RoundEnded() | Spawned() if event.name not in snapshot.processes:
                pass  # late news of one that was forgotten
            case RoundEnded():
                self._of(event.name).note_round(event, self._now())
            case UsageSampled():
                for name in event.usages.keys() & snapshot.processes.keys():
                    self._of(name).note_usage(event.usages[name], self._now())
            case Spawned():
                self._of(event.name).begin_run(self._now())
            case StateChanged() | Ended() | Restarting() | Notice():
                pass  # they come often, and no process goes with them
            case _:
                self._forget(snapshot)

    def _of(self, name: str) -> _Record:
        record = self._by_name.get(name)
        if record is None:
            record = self._by_name[name] = _Record()
        return record

    def _forget(self, snapshot: Snapshot) -> None:
        for name in self._by_name.keys() - snapshot.processes.keys():
            del self._by_name[name]
