"""The end, in order: not ready, processes stopped, everything they wrote written out, exit code."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList, inlineCallbacks, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from procwrap.children.fleet import Fleet
from procwrap.children.leftovers import Leftovers
from procwrap.core.board import Board
from procwrap.core.events import Hurried, ShutdownBegan

LOOK = 0.01
"""Seconds between two looks whether everything that the children wrote has been read."""

FAST = 2.0
"""Seconds that a fast shutdown gives to what was written, and any other to a reader that takes nothing."""

_log = Logger()


Duty = Callable[[], Deferred[None]]
"""Something to be done at the end. It has a deadline of its own, tells what fails, and can be cancelled."""


@define(eq=False)
class Shutdown:
    """Ends the whole exactly once.

    Args:
        flush: writes out everything queued; its Deferred fires when that is done.
        finish: called with the exit code when all is done.
        patience: seconds that a reader of our stdout may take for what is left at the end, once somebody has
            asked for the end. Until then it is waited for, as any program waits. None is ``FAST``, always.
        waiting: how many bytes wait for that reader.
    """

    _board: Board
    _clock: IReactorTime
    _fleet: Fleet
    _leftovers: Leftovers
    _flush: Callable[[], Deferred[None]]
    _finish: Callable[[int], None]
    _patience: float | None
    _waiting: Callable[[], int] = lambda: 0
    _before: list[Duty] = field(factory=list)
    _after: list[Duty] = field(factory=list)
    _under_way: Deferred[Any] | None = None
    code: int | None = None
    _asked_at: float | None = None
    _hurried_at: float | None = None
    _gone_at: float = 0.0
    _seen_waiting: int = 0
    _moved_at: float = 0.0

    @property
    def begun(self) -> bool:
        """Whether the end has begun."""
        return self.code is not None

    def do_before(self, duty: Duty) -> None:
        """Do something when everything is to end, before any process is stopped."""
        self._before.append(duty)

    def do_after(self, duty: Duty) -> None:
        """Do something when all processes are gone, before what they wrote is written out."""
        self._after.append(duty)

    def begin(self, reason: str, code: int, signal: int | None = None, *, fast: bool = False) -> None:
        """Stop everything and exit with ``code``; a second call changes nothing.

        ``signal`` is the one that asks for it, if one does. ``fast`` is SIGKILL at once, with no stop signal
        before it.
        """
        if signal is not None and self._asked_at is None:
            self._asked_at = self._clock.seconds()
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
        self._hurried_at = self._clock.seconds()
        self._board.tell(Hurried(reason))
        self._fleet.kill(reason)
        self._leftovers.hurry()
        if self._under_way is not None:
            self._under_way.cancel()

    @inlineCallbacks
    def _end(self, reason: str) -> Generator[Deferred[Any], None, None]:
        try:
            yield self._do(self._before)
            yield self._fleet.stop(reason)
            yield self._leftovers.all_gone()
            yield self._do(self._after)
            self._gone_at = self._moved_at = self._clock.seconds()
            yield self._until(lambda: self._fleet.settled)
            # Not ``flushed.called``: that is so as soon as the first of several steps is done.
            written: list[object] = []
            flushed = self._flush().addBoth(written.append)
            in_time = self._until(lambda: bool(written))
            yield DeferredList([flushed, in_time], fireOnOneCallback=True, consumeErrors=True)
        finally:
            self._finish(self.code or 0)

    @inlineCallbacks
    def _do(self, duties: list[Duty]) -> Generator[Deferred[Any], None, None]:
        """Do all of them at the same time, unless it has to be quick."""
        if not duties or self._hurried_at is not None:
            return
        begun = [maybeDeferred(duty) for duty in duties]
        self._under_way = DeferredList(begun, consumeErrors=True)
        # Cancelled, the list cancels each of them and waits for their answers.
        yield self._under_way
        self._under_way = None

    def _until(self, done: Callable[[], bool]) -> Deferred[None]:
        ended: Deferred[None] = Deferred()

        def look() -> None:
            if done() or self._is_too_late():
                ended.callback(None)
            else:
                self._clock.callLater(LOOK, look)

        look()
        return ended

    def _is_too_late(self) -> bool:
        """Return whether what has not been read and written by now is given up."""
        now, waiting = self._clock.seconds(), self._waiting()
        if waiting != self._seen_waiting:
            self._seen_waiting, self._moved_at = waiting, now
        if self._hurried_at is not None:
            return now >= max(self._hurried_at, self._gone_at) + FAST
        patience = FAST if self._patience is None else max(self._patience, FAST)
        if self._asked_at is None:
            return now >= self._moved_at + patience and not (waiting and self._patience is not None)
        # A reader that takes nothing gets no more than was left of the grace for the processes.
        stuck = now >= max(self._moved_at + FAST, self._asked_at + patience)
        return stuck or now >= max(self._gone_at, self._asked_at) + patience
