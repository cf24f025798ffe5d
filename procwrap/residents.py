"""Part of the composition root: everybody who knows the processes one by one, and has to hear of a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred, fail

from procwrap.children.child import Child
from procwrap.children.notifications import Notifications
from procwrap.children.orders import Orders
from procwrap.conclusion import Conclusion
from procwrap.coordinating import Coordination, Ties
from procwrap.core.changes import Changes
from procwrap.core.difference import LOGGING
from procwrap.core.heartbeats import Heartbeats
from procwrap.errors import OrderRefusedError
from procwrap.serving import Serving
from procwrap.spec.plan import AskAgain
from procwrap.spec.process import ProcessSpec
from procwrap.streams import Streams

LOOK = 0.1
"""Seconds between two looks whether all that a process wrote has been read."""

MOST_LOOKS = 100
"""After these its log file is closed, whoever still holds its output open."""


@define(eq=False)
class Residents:
    """The ``Floors`` of a reload (children/reshaping.py).

    Attributes:
        resample: to be called when there may be somebody new to be measured.
    """

    ties: Ties
    serving: Serving
    coordination: Coordination
    _streams: Streams
    _notifications: Notifications
    _heartbeats: Heartbeats
    _conclusion: Conclusion
    resample: Callable[[], None] = lambda: None

    def admit(self, spec: ProcessSpec) -> None:
        """Learn of a process that is about to begin: a new one, or one that begins with another spec."""
        self._streams.admit(spec)
        self.coordination.admit(spec)

    def adjust(self, spec: ProcessSpec, keys: tuple[str, ...]) -> None:
        """Learn that a process goes on with another spec, in which these keys are different."""
        if not LOGGING.isdisjoint(keys):
            self._streams.adjust(spec)

    def forget(self, child: Child) -> None:
        """Learn that a process is gone for good; it may not be settled yet."""
        name = child.spec.name
        self.coordination.forget(name)
        self._notifications.forget(name)
        self._close_when_settled(child, self._streams.forget(name), MOST_LOOKS)

    def changed(self) -> None:
        """Learn that the roster is complete again, and all that is in it was begun."""
        self._heartbeats.limit_to(tuple(self.ties.roster))
        self._conclusion.recount()
        self.resample()

    def _close_when_settled(self, child: Child, close: Callable[[], None], looks: int) -> None:
        if child.settled or not looks:
            close()
        else:
            self.ties.reactor.callLater(LOOK, self._close_when_settled, child, close, looks - 1)


@define(eq=False)
class Reloads:
    """Has the config read again; what does that is imported when it is asked for first.

    Args:
        ask_again: finds out what is asked for by then, and blocks; None where that cannot change.
        orders: gives orders to the processes.
        make_child: builds the child of a spec.
    """

    residents: Residents
    _ask_again: AskAgain | None
    _orders: Callable[[], Orders]
    _make_child: Callable[[ProcessSpec], Child]
    _reloading: Any = None

    def ask(self) -> Deferred[Changes]:
        """Read the config again; see IFleet."""
        if self._ask_again is None or any(spec.wrapped for spec in self.residents.ties.roster.values()):
            return fail(OrderRefusedError("there is no config that could be read again"))
        if self._reloading is None:
            self._reloading = self._make(self._ask_again)
        asked: Deferred[Changes] = self._reloading.ask()
        return asked

    def on_signal(self) -> None:
        """Do the same for nobody; what becomes of it is in the log."""
        self.ask().addErrback(lambda _: None)

    def _make(self, ask_again: AskAgain) -> Any:
        from procwrap.children.reshaping import Reshaping
        from procwrap.probes.aside import Asides
        from procwrap.reloading import Reloading

        ties = self.residents.ties
        shutdown = ties.shutdown()
        reshaping = Reshaping(
            ties.fleet(),
            self._orders(),
            ties.board,
            ties.reactor,
            ties.roster,
            self._make_child,
            self.residents,
            lambda: shutdown.begun,
        )
        others = (self.residents.coordination, self.residents.serving, Asides(ties.reactor))
        return Reloading(ask_again, ties, reshaping, *others)
