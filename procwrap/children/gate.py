"""Lets processes start: when what they depend on is there, and a few at a time."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from procwrap.core.board import Board
from procwrap.core.events import Event
from procwrap.core.lifecycle import Input
from procwrap.core.needs import Answer, permission
from procwrap.core.snapshot import Snapshot
from procwrap.spec.process import Dependency

SLICE = 0.01
"""Seconds for which processes are started before the reactor gets its turn again."""

Happen = Callable[[Input, str], None]


@define(eq=False)
class Gate:
    """Answers each process that asks with GRANTED or DENIED, once, possibly much later.

    Args:
        is_inside: whether a process was started already, before there was a gate.
    """

    _board: Board
    _clock: IReactorTime
    _is_inside: Callable[[str], bool] = lambda name: False
    _asking: dict[str, tuple[tuple[Dependency, ...], Happen]] = field(factory=dict)
    _dependents: dict[str, set[str]] = field(factory=lambda: defaultdict(set))
    _granted: deque[str] = field(factory=deque)
    _pumping: bool = False

    def __attrs_post_init__(self) -> None:
        """Begin to watch what others depend on."""
        self._board.watch(self._look)

    def ask(self, name: str, needs: tuple[Dependency, ...], happen: Happen) -> None:
        """Ask whether ``name`` may start."""
        self._asking[name] = (needs, happen)
        for need in needs:
            self._dependents[need.name].add(name)
        self._answer(name)

    def leave(self, name: str) -> None:
        """Forget that ``name`` has asked."""
        needs, _ = self._asking.pop(name, ((), None))
        for need in needs:
            self._dependents[need.name].discard(name)

    def reason(self, name: str) -> str:
        """Return what ``name`` is waiting for, in words; empty when it need not wait."""
        needs, _ = self._asking.get(name, ((), None))
        return permission(needs, self._board.snapshot.processes).reason

    def _look(self, snapshot: Snapshot, event: Event) -> None:
        changed = getattr(event, "name", None)
        for name in tuple(self._dependents.get(changed, ())) if changed is not None else ():
            self._answer(name)

    def _answer(self, name: str) -> None:
        needs, happen = self._asking[name]
        allowed = permission(needs, self._board.snapshot.processes)
        if allowed.answer is Answer.NEVER:
            self.leave(name)
            happen(Input.DENIED, allowed.reason)
        elif self._is_inside(name):
            self._let_in(name)
        elif allowed.answer is Answer.YES and name not in self._granted:
            self._granted.append(name)
            if not self._pumping:
                self._pumping = True
                self._clock.callLater(0, self._pump)

    def _pump(self) -> None:
        until = self._clock.seconds() + SLICE
        while self._granted:
            if self._clock.seconds() >= until:
                self._clock.callLater(0, self._pump)
                return
            self._let_in(self._granted.popleft())
        self._pumping = False

    def _let_in(self, name: str) -> None:
        # Between the question and now it may have left, or what it needs may have gone.
        needs, happen = self._asking.get(name, ((), None))
        if happen is None or permission(needs, self._board.snapshot.processes).answer is not Answer.YES:
            return
        self.leave(name)
        happen(Input.GRANTED, "")
