"""Part of the composition root: what ties the processes to something outside of this container.

Each tie has a module of its own, which is imported only where it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field, frozen

from procwrap.children.fleet import Fleet
from procwrap.children.launcher import Launcher
from procwrap.children.permits import Permit
from procwrap.children.shutdown import Shutdown
from procwrap.core.board import Board
from procwrap.core.roster import Roster
from procwrap.spec.plan import Settings
from procwrap.spec.process import ProcessSpec


@frozen
class Ties:
    """What those who tie us to the outside may use.

    Attributes:
        wall: seconds since the epoch.
        fleet: for stopping a process; complete only after everything was built.
        shutdown: for ending everything, and for duties at the end; the same holds for it.
    """

    roster: Roster
    settings: Settings
    board: Board
    reactor: Any
    wall: Callable[[], float]
    fleet: Callable[[], Fleet]
    shutdown: Callable[[], Shutdown]
    launcher: Launcher


@define(eq=False)
class Coordination:
    """Everybody who ties us to the outside."""

    _ties: Ties
    _permits: list[Callable[[str], Permit | None]] = field(factory=list)
    _has_pod: bool = False
    _graves: Any = None
    _locking: Any = None

    def permits(self, name: str) -> Sequence[Permit]:
        """Return who has to agree before a process starts, in the order in which they are asked."""
        found = (permit_of(name) for permit_of in (*self._permits, self._lock_of))
        return [permit for permit in found if permit is not None]

    def begin(self) -> None:
        """Begin to watch the outside, before any process is started here."""
        if (pod := self._ties.settings.pod) is not None:
            from procwrap.podwatch import PodTies

            self._has_pod = True
            containers = PodTies(self._ties, pod)
            self._permits += containers.permits()
            # Its duty at the end is done at the same time as those below, whose requests it waits for.
            containers.begin()
        self._begin_draining()
        graved = [spec for spec in self._ties.roster.values() if spec.graves is not None]
        if graved:
            self._begin_graves().begin_with(graved)
        for spec in self._ties.roster.values():
            self._admit_lock(spec)

    def refusal(self, spec: ProcessSpec) -> str | None:
        """Return why a process cannot be had while we run; None when it can be had."""
        if spec.birth is not None and not self._has_pod:
            return f"{spec.name} has birthDeps, and procwrap did not need to know its Pod until now"
        return None

    def admit(self, spec: ProcessSpec) -> None:
        """Learn of a process that is about to begin: a new one, or one that begins with another spec."""
        self._admit_lock(spec)
        if self._graves is not None or spec.graves is not None:
            self._begin_graves().admit(spec)

    def forget(self, name: str) -> None:
        """Learn that a process is gone for good."""
        for tie in (self._locking, self._graves):
            if tie is not None:
                tie.forget(name)

    def _lock_of(self, name: str) -> Permit | None:
        """Come last: nobody is to hold a lock and wait."""
        return None if self._locking is None else self._locking.permits.get(name)

    def _admit_lock(self, spec: ProcessSpec) -> None:
        if self._locking is None:
            if spec.lock is None:
                return
            from procwrap.locking import Locking

            self._locking = Locking(self._ties)
            self._locking.begin()
        self._locking.admit(spec)

    def _begin_graves(self) -> Any:
        if self._graves is None:
            from procwrap.graves import Graves

            self._graves = Graves(self._ties)
        return self._graves

    def _begin_draining(self) -> None:
        settings = self._ties.settings
        if settings.preemption is None and not (
            settings.envoy.is_asked_for or settings.quitting.is_asked_for
        ):
            return
        from procwrap.draining import Draining

        draining = Draining(self._ties)
        draining.begin()
        # Before those who wait for the end of the containers that this asks to end.
        self._ties.shutdown().do_after(draining.end_others)
        self._permits.append(lambda name: draining.permit)
