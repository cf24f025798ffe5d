"""Shares the reactor's time out between the pipes, so that HTTP, probes and timers get theirs.

A child that writes JSON as fast as it can fills its pipe faster than its lines are understood, and many of
them would keep everything else waiting while each is read once. So all readers together have ``TURN``
seconds; who comes later waits in a queue, which the next turn begins with.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

TURN = 0.002
"""Seconds for all readers, before the reactor looks after the others."""

UNNOTICED = 0.0005
"""Seconds that need no turn of their own: what is read bit by bit shall not cost a timer each."""


class Waiting(Protocol):
    """What waits for its turn."""

    def take_turn(self) -> None:
        """Go on; never raises."""


@define(eq=False)
class Turns:
    """Counts the time that is spent on reading.

    Attributes:
        is_over: the others come first now.
    """

    _clock: IReactorTime
    is_over: bool = False
    _spent: float = 0.0
    _next_is_planned: bool = False
    _queue: deque[Waiting] = field(factory=deque)

    def measure(self, received: Callable[[bytes], object], piece: bytes) -> float:
        """Hand over what was read; return how many seconds that took."""
        began = self._clock.seconds()
        received(piece)
        took = self._clock.seconds() - began
        self._spent += took
        self.is_over = self._spent >= TURN
        if self._spent >= UNNOTICED:
            self._plan_next()
        return took

    def wait(self, reader: Waiting) -> None:
        """Give a reader its turn when it comes."""
        self._queue.append(reader)
        self._plan_next()

    def _plan_next(self) -> None:
        if not self._next_is_planned:
            self._next_is_planned = True
            self._clock.callLater(0, self._begin)

    def _begin(self) -> None:
        self._next_is_planned = self.is_over = False
        self._spent = 0.0
        while self._queue and not self.is_over:
            self._queue.popleft().take_turn()
        if self._queue:
            self._plan_next()
