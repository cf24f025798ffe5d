"""Those who wait for a lock that another holds: first come, first served, each no longer than it wants to."""

from __future__ import annotations

from collections import deque
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from procwrap.interfaces import ILeaseStore
from procwrap.lock.lease import Granted, Refused
from procwrap.lock.wanted import Wanted

MOST_WAITING = 20_000
LOOK_AGAIN = 1.0
"""Seconds after which whoever waits asks again, in case nobody told that the lock is free."""

Answer = Granted | Refused


@define(eq=False)
class _Waiter:
    """Somebody who waits.

    Attributes:
        last: why it has to.
    """

    wanted: Wanted
    answer: Deferred[Answer]
    last: Refused
    patience: IDelayedCall | None = None


@define(eq=False)
class _Line:
    """Those who wait for one key.

    Attributes:
        asking: the first one's question, while it is on its way.
        again: the key may have become free since that question was asked.
        timer: asks again.
    """

    waiters: deque[_Waiter] = field(factory=deque)
    asking: bool = False
    again: bool = False
    timer: IDelayedCall | None = None


@define(eq=False)
class Queue:
    """Stands before a store; only the first of a line asks it."""

    _store: ILeaseStore
    _clock: IReactorTime
    _most: int = MOST_WAITING
    _lines: dict[str, _Line] = field(init=False, factory=dict)
    _count: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._store.watch(self._look)

    def __len__(self) -> int:
        return self._count

    def ask(self, wanted: Wanted) -> Deferred[Answer]:
        """Acquire a lease, later if need be; cancelling it leaves the line or gives back what was granted."""
        asked: Deferred[Answer] = self._store.acquire(wanted)
        return asked.addCallback(self._asked, wanted) if wanted.wait > 0 else asked

    def stop(self) -> None:
        """Let nobody wait any more."""
        for line in tuple(self._lines.values()):
            for waiter in tuple(line.waiters):
                waiter.answer.callback(waiter.last)

    def _asked(self, answer: Answer, wanted: Wanted) -> Answer | Deferred[Answer]:
        if isinstance(answer, Granted) or self._count >= self._most:
            return answer
        waiter = _Waiter(wanted, Deferred(), answer)
        line = self._lines.setdefault(wanted.key, _Line())
        line.waiters.append(waiter)
        self._count += 1
        waiter.patience = self._clock.callLater(wanted.wait, lambda: waiter.answer.callback(waiter.last))
        waiter.answer.addBoth(self._left, waiter, line)
        self._look_later(line, wanted.key)
        return waiter.answer

    def _left(self, result: Any, waiter: _Waiter, line: _Line) -> Any:
        """Take a waiter out of its line, whatever its answer is."""
        line.waiters.remove(waiter)
        self._count -= 1
        if waiter.patience is not None and waiter.patience.active():
            waiter.patience.cancel()
        if not line.waiters and self._lines.get(waiter.wanted.key) is line:
            del self._lines[waiter.wanted.key]
            if line.timer is not None:
                line.timer.cancel()
                line.timer = None
        return result

    def _look_later(self, line: _Line, key: str) -> None:
        if line.timer is None:
            line.timer = self._clock.callLater(LOOK_AGAIN, self._look_by_itself, line, key)

    def _look_by_itself(self, line: _Line, key: str) -> None:
        line.timer = None
        self._look_later(line, key)
        self._look(key)

    def _look(self, key: str) -> None:
        """Let the first of a line ask again."""
        line = self._lines.get(key)
        if line is None:
            return
        if line.asking:
            line.again = True
            return
        line.asking, line.again = True, False
        waiter = line.waiters[0]
        asked: Deferred[Answer] = self._store.acquire(waiter.wanted)
        asked.addCallbacks(self._answered, self._failed, (waiter,), {}, (waiter,))
        asked.addBoth(self._next, line, key)

    def _answered(self, answer: Answer, waiter: _Waiter) -> None:
        if isinstance(answer, Refused):
            waiter.last = answer
        elif not waiter.answer.called:
            waiter.answer.callback(answer)
        else:
            # It has gone while it was given the lock.
            self._store.release(answer.lease).addErrback(lambda _: None)

    def _failed(self, failure: Failure, waiter: _Waiter) -> None:
        if not waiter.answer.called:
            waiter.answer.errback(failure)

    def _next(self, _: object, line: _Line, key: str) -> None:
        line.asking = False
        if line.again and self._lines.get(key) is line:
            self._look(key)
