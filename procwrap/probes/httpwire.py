"""The wire under http probes: connections that a peer can neither flood nor keep open.

Only the status matters, so a body is read just far enough to part politely, and thrown away.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import URI
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import implementer

from procwrap.probes.aside import Asides
from procwrap.probes.dial import Dial

MOST_BYTES = 65_536
"""Bytes that one connection may bring, headers and body together."""
MOST_BODY = 10_240
"""Bytes of a body that are read, as the kubelet does."""
LINGER = 1.0
"""Seconds for the rest of a body, and again for a connection to close."""


class FloodError(Exception):
    """A peer sent more than any answer to a health check needs."""


class Bounded(ProtocolWrapper):
    """Ends a connection that brings too much, or that does not close when it should."""

    transport: Any
    _received = 0
    _closing: IDelayedCall | None = None

    def dataReceived(self, data: bytes) -> None:
        """Pass data on while there is not too much of it."""
        self._received += len(data)
        if self._received <= self.factory.most:
            super().dataReceived(data)  # type: ignore[no-untyped-call]
        else:
            self.transport.abortConnection()

    def loseConnection(self) -> None:
        """Close; a TLS peer may leave our goodbye unanswered, any peer our last bytes unread."""
        if self._closing is None:
            clock: IReactorTime = self.factory.clock
            self._closing = clock.callLater(LINGER, self._abort)
        super().loseConnection()  # type: ignore[no-untyped-call]

    def _abort(self) -> None:
        self._closing = None
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the parser why."""
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        flooded = self._received > self.factory.most
        why = Failure(FloodError()) if flooded else reason
        super().connectionLost(why)  # type: ignore[no-untyped-call]


class BoundedFactory(WrappingFactory):
    """Makes Bounded protocols.

    Args:
        most: bytes that one connection may bring.
    """

    protocol = Bounded
    noisy = False

    def __init__(self, wrapped: Any, clock: IReactorTime, most: int = MOST_BYTES) -> None:
        super().__init__(wrapped)  # type: ignore[no-untyped-call]
        # Agent's factories announce their start and their stop: two log events a probe.
        wrapped.noisy = False
        self.clock = clock
        self.most = most


@implementer(IStreamClientEndpoint)
@define(eq=False, repr=False)
class Wrapped:
    """An endpoint with something between transport and protocol.

    Agent takes the repr of its endpoint at every request, so this one is kept short.
    """

    _endpoint: IStreamClientEndpoint
    _wrap: Callable[[IProtocolFactory], IProtocolFactory]

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect and return the inner protocol."""
        connecting: Deferred[Any] = self._endpoint.connect(self._wrap(factory))
        return connecting.addCallback(lambda outer: outer.wrappedProtocol)


@implementer(IAgentEndpointFactory)
@define(eq=False)
class Endpoints:
    """Where a URL leads: a TCP connection, with TLS for https, whose certificate is not verified.

    TLS is imported when the first https URL is met, whether or not the reactor was installed with it.

    Args:
        wrap: puts something between the connection and its protocol.
    """

    _reactor: Any
    _asides: Asides
    _wrap: Callable[[IProtocolFactory], IProtocolFactory]

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return the endpoint for the host and port of a URL."""
        host = uri.host.decode("ascii")
        endpoint: IStreamClientEndpoint = Dial(self._reactor, self._asides, host, uri.port)
        if uri.scheme == b"https":
            from procwrap.probes.tls import unverified

            endpoint = Wrapped(endpoint, unverified(host))
        return Wrapped(endpoint, self._wrap)


@implementer(IAgent)
@define(eq=False)
class HeadOnly:
    """An agent whose responses are their status and headers; their bodies are thrown away."""

    _agent: IAgent
    _clock: IReactorTime

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,
    ) -> Deferred[IResponse]:
        """Send a request, asking for an uncompressed answer, as the body is not looked at."""
        plain = Headers() if headers is None else headers.copy()
        # treq puts its own wish behind those of the config, which are sent as they are.
        given = plain.getRawHeaders(b"Accept-Encoding", [])[:-1]
        plain.setRawHeaders(b"Accept-Encoding", given)
        answer: Deferred[IResponse] = self._agent.request(method, uri, plain, bodyProducer)
        return answer.addCallback(self._throw_body_away)

    def _throw_body_away(self, response: IResponse) -> IResponse:
        drain = _Drain()
        response.deliverBody(drain)
        drain.hurry(self._clock)
        return response


class _Drain(Protocol):
    """Reads a little of a body, for a little while."""

    _left = MOST_BODY
    _ended = False
    _timer: IDelayedCall | None = None

    def hurry(self, clock: IReactorTime) -> None:
        """From now on there is only so much time."""
        if not self._ended:
            self._timer = clock.callLater(LINGER, self._give_up)

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._close()

    def connectionLost(self, reason: object = None) -> None:
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        self._close()

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
