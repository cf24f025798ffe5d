"""A fleet that does what the test says."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred
from zope.interface import implementer

from procwrap.core.changes import Changes
from procwrap.interfaces import IFleet


@implementer(IFleet)
@define(eq=False)
class FakeFleet:
    """Writes down what it is asked for; the test fires ``pending``.

    Attributes:
        asked: orders and names, in order; those that were given up are there once more, with ``not``.
        refuses: what it says to everything, if anything.
    """

    asked: list[tuple[str, ...]] = field(factory=list)
    pending: list[Deferred[None]] = field(factory=list)
    reloading: list[Deferred[Changes]] = field(factory=list)
    refuses: Exception | None = None

    def start(self, name: str) -> Deferred[None]:
        """Start a process."""
        return self._order("start", name)

    def stop(self, name: str) -> Deferred[None]:
        """Stop one."""
        return self._order("stop", name)

    def restart(self, name: str) -> Deferred[None]:
        """Restart one."""
        return self._order("restart", name)

    def signal(self, name: str, number: int) -> None:
        """Send a signal."""
        self.asked.append(("signal", name, str(number)))
        if self.refuses is not None:
            raise self.refuses

    def reload(self) -> Deferred[Changes]:
        """Read the config again."""
        self.asked.append(("reload",))
        self.reloading.append(Deferred())
        return self.reloading[-1]

    def _order(self, verb: str, name: str) -> Deferred[None]:
        self.asked.append((verb, name))
        if self.refuses is not None:
            raise self.refuses
        self.pending.append(Deferred(lambda _: self.asked.append(("not", verb, name))))
        return self.pending[-1]
