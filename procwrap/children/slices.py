"""Does what takes a while a little at a time, so that nothing else waits for long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

SLICE = 0.01
"""Seconds of work before the reactor gets its turn again."""


@define(eq=False)
class Slices:
    """Does pieces of work in order: starting hundreds of commands at once would take seconds."""

    _clock: IReactorTime
    _waiting: deque[Callable[[], None]] = field(factory=deque)
    _is_planned: bool = False

    def do(self, work: Callable[[], None]) -> None:
        """Do this soon, but not before this returns."""
        self._waiting.append(work)
        self._plan()

    def _plan(self) -> None:
        if self._waiting and not self._is_planned:
            self._is_planned = True
            self._clock.callLater(0, self._go_on)

    def _go_on(self) -> None:
        self._is_planned = False
        until = self._clock.seconds() + SLICE
        try:
            while self._waiting and self._clock.seconds() < until:
                self._waiting.popleft()()
        finally:
            self._plan()
