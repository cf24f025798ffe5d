"""The last heartbeat of each process: HTTP writes them, the heartBeat probe reads them."""

from __future__ import annotations

from attrs import define, field, frozen


@frozen
class Beat:
    """One sign of life.

    Attributes:
        at: seconds of the reactor's monotonic clock, for measuring.
        wall: seconds since the epoch, for showing.
        period: seconds since the one before; None when there was none.
    """

    at: float
    wall: float
    period: float | None = field(default=None, eq=False)


@define(eq=False)
class Heartbeats:
    """Remembers one beat a process, for processes of the plan only, so that nobody can make it grow.

    Attributes:
        names: the processes that can beat, in the order of the plan.
    """

    names: tuple[str, ...]
    _last: dict[str, Beat] = field(init=False, factory=dict)

    def beat(self, name: str, at: float, wall: float) -> bool:
        """Record a sign of life.

        Returns:
            False, and nothing is stored, when there is no process of this name.
        """
        if name not in self.names:
            return False
        before = self._last.get(name)
        self._last[name] = Beat(at, wall, None if before is None else at - before.at)
        return True

    def limit_to(self, names: tuple[str, ...]) -> None:
        """Know these processes from now on, and nothing more of all others."""
        self.names = names
        self._last = {name: self._last[name] for name in names if name in self._last}

    def last(self, name: str) -> Beat | None:
        """Return the last beat of a process; None when there was none, or no such process."""
        return self._last.get(name)
