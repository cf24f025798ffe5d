"""The end, in order: not ready, processes stopped, everything they wrote written out, exit code."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from procwrap.children.fleet import Fleet
from procwrap.children.leftovers import Leftovers
from procwrap.core.board import Board
from procwrap.core.events import Hurried, ShutdownBegan

LOOK = 0.01
"""Seconds between two looks whether everything that the children wrote has been read."""

FAST = 2.0
"""Seconds that a fast shutdown gives to what was written."""

_log = Logger()


@define(eq=False)
class Shutdown:
    """Ends the whole exactly once.

    Args:
        flush: writes out everything queued; its Deferred fires when that is done. Cancelled at the deadline.
        finish: called with the exit code when all is done.
        patience: seconds that a reader of our stdout may take for what is queued at the end.
    """

    _board: Board
    _clock: IReactorTime
    _fleet: Fleet
    _leftovers: Leftovers
    _flush: Callable[[], Deferred[None]]
    _finish: Callable[[int], None]
    _patience: float
    code: int | None = None
    _hurried: bool = False
    _timer: IDelayedCall | None = None

    @property
    def begun(self) -> bool:
        """Whether the end has begun."""
        return self.code is not None

    def begin(self, reason: str, code: int, signal: int | None = None, *, fast: bool = False) -> None:
        """Stop everything and exit with ``code``; a second call changes nothing.

        ``fast`` is SIGKILL at once, with no stop signal before it.
        """
        if self.begun:
            return
        self.code = code
        self._board.tell(ShutdownBegan(reason, signal))
        if fast:
            self.hurry(reason)
        self._end(reason).addErrback(lambda failure: _log.failure("shutdown", failure))

    def hurry(self, reason: str, code: int | None = None) -> None:
        """No more grace: SIGKILL now. ``code`` replaces the exit code."""
        if code is not None and self.begun:
            self.code = code
        self._hurried = True
        self._board.tell(Hurried(reason))
        self._fleet.kill(reason)
        self._leftovers.hurry()
        if self._timer is not None and self._timer.active():
            self._timer.reset(FAST)

    @inlineCallbacks
    def _end(self, reason: str) -> Generator[Deferred[Any], None, None]:
        try:
            yield self._fleet.stop(reason)
            yield self._leftovers.all_gone()
            yield self._until_drained()
            yield self._within(self._flush())
        finally:
            self._finish(self.code or 0)

    def _until_drained(self) -> Deferred[None]:
        since = self._clock.seconds()
        done: Deferred[None] = Deferred()

        def look() -> None:
            drained = all(child.settled for child in self._fleet.children.values())
            if drained or self._clock.seconds() >= since + self._limit():
                done.callback(None)
            else:
                self._clock.callLater(LOOK, look)

        look()
        return done

    def _limit(self) -> float:
        return FAST if self._hurried else max(self._patience, FAST)

    def _within(self, flushed: Deferred[None]) -> Deferred[object]:
        limit: Deferred[None] = Deferred()
        timer = self._timer = self._clock.callLater(self._limit(), limit.callback, None)
        first = DeferredList([flushed, limit], fireOnOneCallback=True, consumeErrors=True)

        def stop_timer(result: object) -> object:
            if timer.active():
                timer.cancel()
            return result

        return first.addBoth(stop_timer)
