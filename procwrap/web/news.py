"""What has changed since it was last written for those who follow /live."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

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
from procwrap.core.history import History, seconds_of
from procwrap.core.reloads import ChecksRenewed, Reloaded
from procwrap.core.snapshot import Snapshot
from procwrap.core.timestamp import rfc3339
from procwrap.core.verdicts import Json, is_ready
from procwrap.web.shown import Shown
from procwrap.web.sse import event

_HostTruth = tuple[bool, bool, bool]


@define(eq=False)
class News:
    """Collects changes, of a process however many it were as one.

    Args:
        wall: seconds since the epoch.
    """

    _shown: Shown
    _history: History
    _wall: Callable[[], float]
    _names: frozenset[str] = field(init=False, default=frozenset())
    _host: _HostTruth = field(init=False, default=(False, False, False))
    _rounds: dict[tuple[str, str], tuple[object, ...]] = field(init=False, factory=dict)
    """How the last round of each check went: one that goes the same way changes nothing about the process."""
    _gone: list[bytes] = field(init=False, factory=list)
    _changed: dict[str, None] = field(init=False, factory=dict)
    _others: list[bytes] = field(init=False, factory=list)

    def begin(self) -> None:
        """Begin with what is true now; nothing has changed yet."""
        snapshot = self._shown.snapshot
        self._names = frozenset(snapshot.processes)
        self._host = _host_truth(snapshot)
        for kept in (self._rounds, self._gone, self._changed, self._others):
            kept.clear()

    def note(self, snapshot: Snapshot, happened: Event) -> None:
        """Take note of an event."""
        match happened:
            case RoundEnded() if happened.name not in snapshot.processes:
                return  # late news of one that was forgotten
            case RoundEnded():
                self._note_round(happened)
            case UsageSampled():
                self._note_usage(happened)
            case StateChanged() | Spawned() | Ended() | Restarting() | ChecksRenewed():
                self._changed[happened.name] = None
            case Reloaded():
                self._changed |= dict.fromkeys(happened.changes.adjusted)
            case Notice():
                return
            case _:
                self._compare(snapshot)
        truth = _host_truth(snapshot)
        if truth != self._host:
            self._host = truth
            self._others.append(event("host", self._shown.host()))

    @property
    def is_any(self) -> bool:
        """Whether something has changed."""
        return bool(self._gone or self._changed or self._others)

    def take(self, most: int) -> bytes:
        """Return events for what has changed, of at most so many processes, and forget it."""
        # In this order: whoever goes and comes again is there in the end.
        pieces, self._gone = self._gone, []
        processes = self._shown.snapshot.processes
        for name in list(self._changed)[:most]:
            del self._changed[name]
            if name in processes:
                pieces.append(event("process", {"process": self._shown.process(processes[name])}))
        pieces += self._others
        self._others = []
        return b"".join(pieces)

    def _note_round(self, happened: RoundEnded) -> None:
        check = (happened.name, happened.check)
        outcome = (happened.reason, happened.failures, happened.succeeded)
        if self._rounds.get(check) != outcome:
            self._rounds[check] = outcome
            self._changed[happened.name] = None
        told: Json = {
            "name": happened.name,
            "check": happened.check,
            "at": rfc3339(happened.wall),
            "healthy": happened.succeeded,
            "seconds": seconds_of(happened),
        }
        self._others.append(event("round", told))

    def _note_usage(self, happened: UsageSampled) -> None:
        usages = {
            name: {"cpu": self._history.cpu(name), "memoryBytes": usage.memory}
            for name, usage in happened.usages.items()
        }
        self._others.append(event("usage", {"at": rfc3339(self._wall()), "usages": usages}))

    def _compare(self, snapshot: Snapshot) -> None:
        names = frozenset(snapshot.processes)
        for name in self._names - names:
            self._changed.pop(name, None)
            self._rounds = {check: kept for check, kept in self._rounds.items() if check[0] != name}
            self._gone.append(event("gone", {"name": name}))
        for name in snapshot.processes:
            if name not in self._names:
                self._changed[name] = None
        self._names = names


def _host_truth(snapshot: Snapshot) -> _HostTruth:
    return is_ready(snapshot), snapshot.preempted, snapshot.shutdown
