"""A long body, written as its client reads it: never copied in whole, nor in one turn of the reactor."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer
from zope.interface import implementer


def stream(request: Any, pieces: Iterable[bytes]) -> Deferred[bytes]:
    """Write a body.

    Args:
        request: a ``BoundedRequest`` whose response has its head, the length included.
        pieces: of the body; each is written at one go.

    Returns:
        A Deferred that fires with nothing more to write; cancelling it ends the writing.
    """
    writing = _Stream(request, deque(pieces))
    writing.begin()
    return writing.done


@implementer(IPushProducer)
@define(eq=False)
class _Stream:
    _request: Any
    _pieces: deque[bytes] = field(repr=False)
    done: Deferred[bytes] = field(init=False)
    _flowing: bool = field(init=False, default=False)
    _deadline: IDelayedCall | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.done = Deferred(lambda _: self.stopProducing())

    def begin(self) -> None:
        """Write; a client has no more time for all of it than for any other answer."""
        channel = self._request.channel
        self._deadline = channel.callLater(channel.limits.patience, channel.transport.abortConnection)
        self._request.registerProducer(self, True)
        self.resumeProducing()

    def pauseProducing(self) -> None:
        """Wait: the client does not read fast enough."""
        self._flowing = False

    def resumeProducing(self) -> None:
        """Go on."""
        self._flowing = True
        while self._flowing and self._pieces:
            self._request.write(self._pieces.popleft())
        if self._deadline is not None and not self._pieces:
            self._stop_the_clock()
            self._request.unregisterProducer()
            self.done.callback(b"")

    def stopProducing(self) -> None:
        """Forget the rest: the client has left."""
        self._pieces.clear()
        self._flowing = False
        self._stop_the_clock()

    def _stop_the_clock(self) -> None:
        if self._deadline is not None:
            if self._deadline.active():
                self._deadline.cancel()
            self._deadline = None
