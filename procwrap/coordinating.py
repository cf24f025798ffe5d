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
from procwrap.spec.plan import Plan, Settings


@frozen
class Ties:
    """What those who tie us to the outside may use.

    Attributes:
        wall: seconds since the epoch.
        fleet: for stopping a process; complete only after everything was built.
        shutdown: for ending everything, and for duties at the end; the same holds for it.
    """

    plan: Plan
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
    _permits: dict[str, list[Permit]] = field(factory=dict)

    def permits(self, name: str) -> Sequence[Permit]:
        """Return who has to agree before a process starts, in the order in which they are asked."""
        return self._permits.get(name, ())

    def begin(self) -> None:
        """Begin to watch the outside, before any process is started here."""
        if (pod := self._ties.settings.pod) is not None:
            from procwrap.podwatch import PodTies

            containers = PodTies(self._ties, pod)
            for name, permit in containers.permits():
                self._permits.setdefault(name, []).append(permit)
            # Its duty at the end is done at the same time as those below, whose requests it waits for.
            containers.begin()
        self._begin_draining()
        if any(spec.graves is not None for spec in self._ties.plan.processes):
            from procwrap.graves import Graves

            Graves(self._ties).begin()
        self._begin_locking()

    def _begin_locking(self) -> None:
        """Come last: nobody is to hold a lock and wait."""
        if all(spec.lock is None for spec in self._ties.plan.processes):
            return
        from procwrap.locking import Locking

        locking = Locking(self._ties)
        locking.begin()
        for name, permit in locking.permits.items():
            self._permits.setdefault(name, []).append(permit)

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
        if draining.permit is not None:
            for spec in self._ties.plan.processes:
                self._permits.setdefault(spec.name, []).append(draining.permit)
