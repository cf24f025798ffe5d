"""Part of the composition root: what ties the processes to something outside of this container.

Each tie has a module of its own, which is imported only where it was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field, frozen

from procwrap.children.fleet import Fleet
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
