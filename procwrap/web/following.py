"""Responses without an end: what happens is written to those who follow it, as fast as each of them reads.

What a follower has not read yet waits in memory, within bounds: a share that each follower has for itself
and, while there is room, more out of a reserve that all have together. A child that prints ten thousand lines
in one go is faster than any network; with its share alone, a follower that reads all the time would still
lose some. Beyond that, what comes is dropped until what waits was read, and the follower is told what it has
missed. One that reads nothing at all is dropped by its connection, as with any other answer: see ``channel``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.web.iweb import IRequest
from zope.interface import implementer

from procwrap.web.answers import OK, Reply, argument
from procwrap.web.seats import NO_SEAT, Seats
from procwrap.web.sse import ALIVE, EVENT_STREAM, event

BEAT = 10.0
"""Seconds between two signs of life."""

SHARE = 256 * 1024
"""Bytes that may wait for each follower, whatever the others do."""

MOST = 4 * 1024 * 1024
"""Bytes that may wait for one follower."""

RESERVE = 16 * 1024 * 1024
"""Bytes that may wait for all followers together, where one has more than its share."""


def dropped(count: int) -> Iterable[bytes]:
    """Say how much a follower has missed."""
    return (event("dropped", count),)


@define(eq=False)
class Waiting:
    """What waits for all followers together, in bytes."""

    size: int = 0


@implementer(IPushProducer)
@define(eq=False)
class Follower:
    """One response that goes on until the client leaves, or until there is nothing more to tell.

    Args:
        request: a ``BoundedRequest`` whose response has its head.
        waiting: counts what waits for everybody.

    Attributes:
        done: fires with nothing more to write; cancelling it ends everything.
        gap: returns what to write in the place of so much that was dropped.
    """

    _request: Any
    _waiting: Waiting
    gap: Callable[[int], Iterable[bytes]] = dropped
    done: Deferred[bytes] = field(init=False)
    _owed: deque[bytes] = field(init=False, factory=deque, repr=False)
    _backlog: deque[bytes] = field(init=False, factory=deque, repr=False)
    _size: int = field(init=False, default=0)
    _dropped: int = field(init=False, default=0)
    _flowing: bool = field(init=False, default=False)
    _over: bool = field(init=False, default=False)
    _leave: Callable[[], None] = field(init=False, default=lambda: None)

    def __attrs_post_init__(self) -> None:
        """Make it possible to cancel."""
        self.done = Deferred(lambda _: self.stopProducing())

    def begin(self, leave: Callable[[], None]) -> None:
        """Write what there is.

        Args:
            leave: called once, at the end.
        """
        self._leave = leave
        # The head alone would be written with the first event, and some never come.
        self._owed.appendleft(ALIVE)
        self._request.registerProducer(self, True)
        self.resumeProducing()

    def owe(self, pieces: Iterable[bytes]) -> None:
        """Write these before what waits, however long they are: they are kept for others, too."""
        if not self._over:
            self._owed.extend(pieces)
            self._go_on()

    def send(self, piece: bytes, count: int = 1) -> bool:
        """Write a piece, now or later, or drop it.

        Args:
            piece: whole events.
            count: what to tell the follower that it has missed, should it be dropped.

        Returns:
            Whether it was not dropped.
        """
        if self._over:
            return False
        if self._dropped:
            self._dropped += count
        elif self._flowing and not (self._owed or self._backlog):
            self._request.write(piece)
            return True
        elif self._has_room(len(piece)):
            self._backlog.append(piece)
            self._size += len(piece)
            self._waiting.size += len(piece)
            return True
        else:
            self._dropped = count
        return False

    def alive(self) -> None:
        """Give a sign of life; one that is behind has enough to read."""
        if self._flowing:
            self._request.write(ALIVE)

    def end(self) -> None:
        """Tell that nothing more will come; what waits is forgotten."""
        if not self._over:
            self._forget()
            self._request.unregisterProducer()
            self.done.callback(b"")

    def pauseProducing(self) -> None:
        """Wait: the client does not read fast enough."""
        self._flowing = False

    def resumeProducing(self) -> None:
        """Write what has come meanwhile."""
        self._flowing = not self._over
        self._go_on()

    def stopProducing(self) -> None:
        """Forget everything: the client has left."""
        self._forget()

    def _go_on(self) -> None:
        while self._flowing:
            if self._owed:
                self._request.write(self._owed.popleft())
            elif self._backlog:
                piece = self._backlog.popleft()
                self._size -= len(piece)
                self._waiting.size -= len(piece)
                self._request.write(piece)
            elif self._dropped:
                count, self._dropped = self._dropped, 0
                self._owed.extend(self.gap(count))
            else:
                return

    def _has_room(self, size: int) -> bool:
        mine = self._size + size
        return mine <= SHARE or (mine <= MOST and self._waiting.size + size <= RESERVE)

    def _forget(self) -> None:
        if self._over:
            return
        self._over = True
        self._flowing = False
        self._owed.clear()
        self._backlog.clear()
        self._waiting.size -= self._size
        self._leave()


def wants_to_follow(request: IRequest) -> bool:
    """Return whether a request says ``?follow``."""
    return argument(request, "follow") not in (None, "false", "0")


Join = Callable[[Follower], Callable[[], None]]
"""Lets a follower follow something, from the next event on; returns what ends that."""


@define(eq=False)
class Followers:
    """All who follow something."""

    _clock: IReactorTime
    _seats: Seats
    _all: set[Follower] = field(init=False, factory=set)
    _waiting: Waiting = field(init=False, factory=Waiting)
    _beat: IDelayedCall | None = field(init=False, default=None)

    def answer(self, request: IRequest, join: Join) -> Reply:
        """Answer with a response that goes on; 503 when there are too many."""
        if request.method == b"HEAD":
            # How long the answer to a GET would be, nobody knows.
            return Reply(OK, content_type=EVENT_STREAM, follow=lambda _: succeed(b""))
        if not self._seats.take():
            return NO_SEAT
        return Reply(OK, content_type=EVENT_STREAM, follow=partial(self._follow, join))

    def end(self) -> None:
        """End all of them: nobody is here any more who could tell something."""
        for follower in tuple(self._all):
            follower.end()

    def _follow(self, join: Join, request: IRequest) -> Deferred[bytes]:
        follower = Follower(request, self._waiting)
        try:
            forget = join(follower)
        except Exception:
            self._seats.leave()
            raise

        def leave() -> None:
            forget()
            self._all.discard(follower)
            self._seats.leave()
            if not self._all and self._beat is not None:
                self._beat.cancel()
                self._beat = None

        self._all.add(follower)
        if self._beat is None:
            self._beat = self._clock.callLater(BEAT, self._sign)
        follower.begin(leave)
        return follower.done

    def _sign(self) -> None:
        self._beat = self._clock.callLater(BEAT, self._sign)
        for follower in tuple(self._all):
            follower.alive()
