"""What an operator asks of a process by its name: to start, to stop, to be restarted, to get a signal."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from procwrap.children.child import Child
from procwrap.children.fleet import Fleet
from procwrap.core.board import Board
from procwrap.core.events import Event, Level, Notice, ShutdownBegan, StateChanged, signal_name
from procwrap.core.lifecycle import ALIVE, FINAL, Input, State
from procwrap.core.snapshot import Snapshot
from procwrap.errors import OrderFailedError, OrderRefusedError
from procwrap.interfaces import IFleet

ASKED = "an operator has asked for it"


class Wish(enum.Enum):
    """What is wanted; the values are what people read."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"


@define(eq=False)
class _Order:
    """One that is being carried out.

    Attributes:
        begun: the run that is to come up has begun, or needs no order to begin.
        waiting: those who want to hear of its end.
    """

    wish: Wish
    reason: str
    begun: bool = False
    waiting: list[Deferred[None]] = field(factory=list)

    def wait(self) -> Deferred[None]:
        """Return what fires at the end; cancelling it ends the waiting only."""
        waiting: Deferred[None] = Deferred(self._forget)
        self.waiting.append(waiting)
        return waiting

    def _forget(self, cancelled: Deferred[None]) -> None:
        if cancelled in self.waiting:
            self.waiting.remove(cancelled)

    def end(self, problem: Exception | None) -> None:
        """Tell those who wait."""
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            if each.called:
                # Another of them has just cancelled it.
                continue
            if problem is None:
                each.callback(None)
            else:
                each.errback(problem)


def _no_reload() -> Deferred[Any]:
    return fail(OrderRefusedError("there is no config that could be read again"))


@implementer(IFleet)
@define(eq=False)
class Orders:
    """Carries orders out; of each process at most one at a time, the last that came.

    Args:
        ending: whether everything is about to end.
        reload: reads the config again.
    """

    _fleet: Fleet
    _board: Board
    _clock: IReactorTime
    _ending: Callable[[], bool]
    _reload: Callable[[], Deferred[Any]] = _no_reload
    _orders: dict[str, _Order] = field(factory=dict)
    _reserved: frozenset[str] = frozenset()

    def __attrs_post_init__(self) -> None:
        """Watch what becomes of them."""
        self._board.watch(self._look)

    def start(self, name: str, reason: str = ASKED) -> Deferred[None]:
        """Start a process that does not run; see IFleet. The log says the reason, if there is one."""
        return self._take(name, Wish.START, reason)

    def stop(self, name: str, reason: str = ASKED) -> Deferred[None]:
        """Stop a process for good; see IFleet."""
        return self._take(name, Wish.STOP, reason)

    def restart(self, name: str, reason: str = ASKED) -> Deferred[None]:
        """Stop a process if it runs, and start it; see IFleet."""
        return self._take(name, Wish.RESTART, reason)

    def signal(self, name: str, number: int) -> None:
        """Send a signal to its process group; see IFleet."""
        if not self._child(name).signal(number):
            raise OrderRefusedError(f"{name} does not run, so it cannot get {signal_name(number)}")

    def reload(self) -> Deferred[Any]:
        """Read the config again; see IFleet."""
        return self._reload()

    def reserve(self, names: Collection[str]) -> None:
        """Take no orders for these processes until other ones are reserved: their config is being changed."""
        self._reserved = frozenset(names)
        for name in self._reserved & self._orders.keys():
            text = f"the order to {self._orders[name].wish.value} {name} gave way to a reload of the config"
            self._end(name, OrderFailedError(text))

    def _child(self, name: str) -> Child:
        child = self._fleet.children.get(name)
        if child is None:
            raise OrderRefusedError(f"there is no process {name!r}")
        return child

    def _take(self, name: str, wish: Wish, reason: str) -> Deferred[None]:
        try:
            child = self._child(name)
            self._refuse(child, wish)
        except OrderRefusedError as refused:
            return fail(refused)
        under_way = self._orders.get(name)
        if under_way is None and child.state in _THERE.get(wish, ()):
            return succeed(None)
        if under_way is not None and under_way.wish is wish is not Wish.RESTART:
            return under_way.wait()
        self._give_way(name, wish)
        order = self._orders[name] = _Order(wish, reason)
        waiting = order.wait()
        self._carry_out(child, order)
        return waiting

    def _refuse(self, child: Child, wish: Wish) -> None:
        if child.spec.name in self._reserved:
            raise OrderRefusedError(f"the config of {child.spec.name} is being changed at this moment")
        if child.spec.wrapped:
            raise OrderRefusedError(
                f"procwrap lives for the one command that it wraps: it cannot be told to {wish.value} it"
            )
        if wish is not Wish.STOP and self._ending():
            raise OrderRefusedError(f"procwrap is about to end: it does not {wish.value} {child.spec.name}")

    def _give_way(self, name: str, wish: Wish) -> None:
        before = self._orders.get(name)
        if before is not None:
            text = f"the order to {before.wish.value} {name} gave way to a later one to {wish.value} it"
            self._end(name, OrderFailedError(text))

    def _carry_out(self, child: Child, order: _Order) -> None:
        state, wish = child.state, order.wish
        if wish is Wish.STOP and self._ending():
            # Each has its turn, and this one's comes.
            return
        stops = wish is Wish.STOP or (wish is Wish.RESTART and state in ALIVE - {State.STOPPING})
        if order.reason and not (stops and state in ALIVE):
            self._board.tell(Notice(Level.INFO, f"{wish.value}: {order.reason}", child.spec.name))
        if stops:
            child.happen(Input.STOP, order.reason)
        elif state in FINAL or state is State.BACKOFF:
            _begin(child, order)
        else:
            order.begun = state is not State.STOPPING

    def _look(self, snapshot: Snapshot, event: Event) -> None:
        if isinstance(event, ShutdownBegan):
            for name, order in tuple(self._orders.items()):
                if order.wish is not Wish.STOP:
                    self._end(name, OrderFailedError(f"procwrap ends before {name} was up"))
        elif isinstance(event, StateChanged) and (found := self._orders.get(event.name)) is not None:
            child = self._fleet.children[event.name]
            # Else there is more to come, which is seen when it is told.
            if child.state is event.state:
                self._follow(child, found, event, snapshot)

    def _follow(self, child: Child, order: _Order, event: StateChanged, snapshot: Snapshot) -> None:
        over = event.state in FINAL
        if order.wish is Wish.STOP:
            if over:
                self._end(event.name, None)
        elif not order.begun:
            if over or event.state is State.BACKOFF:
                _begin(child, order)
        elif snapshot.processes[event.name].fine:
            self._end(event.name, None)
        elif over or event.state in (State.STOPPING, State.BACKOFF):
            self._end(event.name, _not_up(event.name, event.reason))

    def _end(self, name: str, problem: Exception | None) -> None:
        order = self._orders.pop(name)
        # Later: the child and the board are in the middle of it.
        self._clock.callLater(0, self._tell_end, name, order, problem)

    def _tell_end(self, name: str, order: _Order, problem: Exception | None) -> None:
        view = self._board.snapshot.processes.get(name)
        if problem is None and view is not None and order.wish is not Wish.STOP:
            # Without a check it was healthy as soon as it ran, and may have ended as soon.
            is_down = view.state in FINAL or view.state is State.BACKOFF
            problem = _not_up(name, view.reason) if is_down and not view.fine else None
        order.end(problem)


def _not_up(name: str, reason: str) -> OrderFailedError:
    return OrderFailedError(f"{name} did not come up{f': {reason}' if reason else ''}")


def _begin(child: Child, order: _Order) -> None:
    order.begun = True
    child.happen(Input.BEGIN)


_THERE: Mapping[Wish, frozenset[State]] = {Wish.START: frozenset({State.RUNNING}), Wish.STOP: FINAL}
