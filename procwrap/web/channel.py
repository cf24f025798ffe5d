"""One connection: Twisted's HTTP channel, with a bound on everything a client can do with it.

Unless we are the ones who work, a timer always runs that ends the connection:

- a request has to be in whole within ``patience`` of the connection's begin or, on a kept connection, of
  its first byte; the bytes between do not prolong it;
- a kept connection may be idle for ``patience``;
- once the transport's buffer is full, the client has to read it within ``patience``;
- a connection that was told to close, and cannot, is aborted.

A client that sends many requests in one go gets one answered a turn of the reactor, so that it keeps nobody
else waiting. Meanwhile nothing more is read from it, and nothing is answered while it does not read.
"""

# mypy: disable-error-code="no-untyped-call"
# twisted.web has few annotations.

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.http import Request as PlainRequest

from procwrap.web.limits import Limits
from procwrap.web.refusal import BAD, BODY_TOO_LARGE, CROWDED, HEAD_TOO_LARGE, REFUSALS, TARGET_TOO_LONG
from procwrap.web.request import BoundedRequest

if TYPE_CHECKING:
    from procwrap.web.connections import BoundedSite


class Channel(HTTPChannel):
    """One client's connection.

    Attributes:
        crowded: True for a connection beyond the limit: it gets one answer at most, and little time.
    """

    requestFactory = BoundedRequest  # noqa: N815
    transport: Any

    def __init__(self, site: BoundedSite, limits: Limits) -> None:
        super().__init__()
        self.site = self.factory = site
        self.limits = limits
        self.timeOut = limits.patience  # type: ignore[assignment]
        self.totalHeadersSize = self.MAX_LENGTH = limits.head
        self.crowded = False
        self._refused = False
        self._answering = False
        self._begun = True  # the time of the first request runs from the connection's begin
        self._head_bytes = 0
        self._ahead_bytes = 0
        self._rest = b""
        self._turn: IDelayedCall | None = None
        self._stalled: IDelayedCall | None = None
        self._closing: IDelayedCall | None = None

    # coming and going

    def connectionMade(self) -> None:
        """Begin; the site may declare the connection crowded."""
        super().connectionMade()
        self.site.joined(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Stop every timer and whatever was being answered."""
        for timer in (self._turn, self._stalled, self._closing):
            if timer is not None and timer.active():
                timer.cancel()
        super().connectionLost(reason)
        self.site.left(self)

    def crowd(self) -> None:
        """Say that the house is full: one request of health is answered, if it comes soon."""
        self.crowded = True
        self.setTimeout(self.limits.crowd_patience)

    def refuse(self, status: HTTPStatus) -> None:
        """Say why and close, in a way that lets the client read it."""
        if self._refused:
            return
        self._refused = True
        self._rest = b""
        self.transport.write(REFUSALS[status])
        self.setTimeout(self.limits.linger)
        if self.isSecure():
            self.loseConnection()
        else:
            self.transport.loseWriteConnection()

    def evict(self) -> None:
        """Make room at once."""
        self.refuse(CROWDED)
        self.loseConnection()

    def timeoutConnection(self) -> None:
        """Drop a client that took too long."""
        if self.crowded and not self._refused:
            self.refuse(CROWDED)
        elif self._stalled is not None:
            # It still reads what it was sent, and has its own time for that.
            self.setTimeout(self.limits.patience)
        elif self.transport.disconnecting:
            self.transport.abortConnection()
        else:
            self._closing = self.callLater(self.limits.linger, self.transport.abortConnection)
            self.loseConnection()

    def resetTimeout(self) -> None:
        """Give a request its time when its first byte comes, and not again for those that follow."""
        if not self._begun:
            self._begun = True
            super().resetTimeout()

    def callLater(self, period: float, call: Callable[[], object]) -> IDelayedCall:
        """Arm a timer; Twisted's timeouts use this too."""
        return self.site.reactor.callLater(period, call)

    # what comes in

    def dataReceived(self, data: bytes) -> None:
        """Take bytes as they come, or keep them while earlier ones wait for their turn."""
        if self._refused:
            return
        if self._rest:
            self._rest += data
        else:
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """Take one line of the head."""
        if self._refused:
            return
        first = not self._head_bytes
        self._head_bytes += len(line) + len(self.delimiter)
        if self._head_bytes > self.limits.head:
            self.refuse(TARGET_TOO_LONG if first else HEAD_TOO_LARGE)
        else:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """Refuse a line that is longer than a whole head may be."""
        self.refuse(HEAD_TOO_LARGE if self._head_bytes else TARGET_TOO_LONG)

    def allHeadersReceived(self) -> None:
        """Begin with the body, unless it is known to be too large."""
        self._head_bytes = 0
        if self.length is not None and self.length > self.limits.body:
            self.refuse(BODY_TOO_LARGE)
        else:
            super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        """Take a part of the body or, while a request is being answered, what comes after it."""
        if self._refused:
            return
        if self._answering:
            self._ahead_bytes += len(data)
            if self._ahead_bytes > self.limits.ahead:
                # To stop reading instead would hide from us that the client has left.
                self.transport.abortConnection()
                return
        super().rawDataReceived(data)
        if self._answering and not self._ahead_bytes:
            self._ahead_bytes = len(data)

    def allContentReceived(self) -> None:
        """Answer a request that is in whole."""
        if not self._refused:
            self._answering = True
            super().allContentReceived()

    def checkPersistence(self, request: PlainRequest, version: bytes) -> bool:
        """Tell whether the connection is kept after this request."""
        if self.crowded:
            request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
            return False
        return bool(super().checkPersistence(request, version))

    def _respondToBadRequestAndDisconnect(self) -> None:
        # Twisted's own method answers without a word of explanation; everything works without ours.
        self.refuse(BAD)

    # what goes out

    def requestDone(self, request: PlainRequest) -> None:
        """Go on after an answer: close, or let what the client sent meanwhile wait for its turn."""
        self._answering = self._begun = False
        self._ahead_bytes = 0
        self.paused = True
        super().requestDone(request)
        self.paused = False
        rest = self.clearLineBuffer()
        if not self.persistent:
            self.setTimeout(self.limits.patience)
        elif rest:
            self._rest = rest
            self.transport.pauseProducing()
            self._give_turn()

    def pauseProducing(self) -> None:
        """Wait until the client reads; called by the transport when its buffer is full."""
        super().pauseProducing()
        if self._stalled is None:
            self._stalled = self.callLater(self.limits.patience, self.transport.abortConnection)

    def resumeProducing(self) -> None:
        """Go on; called by the transport when its buffer is empty again."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resumeProducing()
        self._give_turn()

    def _give_turn(self) -> None:
        if self._rest and self._turn is None:
            self._turn = self.callLater(0, self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        if self._stalled is None and not self.transport.disconnecting:
            rest, self._rest = self._rest, b""
            self.transport.resumeProducing()
            self.dataReceived(rest)
