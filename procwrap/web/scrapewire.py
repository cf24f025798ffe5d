"""The wire under scrapes: connections that are kept, bodies that stay packed and within a bound."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

from attrs import define
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import implementer

IDLE_SECONDS = 90
"""How long a connection is kept for the next scrape; the usual interval is 15 to 60 seconds."""
MOST_IN_ALL = 256 * 1024 * 1024
"""Bytes of all targets of one merge, as they come over the wire."""

PACKED = b"X-Procwrap-Packed"
"""The header that says how a body is packed, in the place of Content-Encoding."""


class ScrapeError(Exception):
    """A target gave no metrics; the text says why and holds no secret."""


@define(eq=False)
class Budget:
    """The bytes that all targets of one merge may still send together."""

    left: int = MOST_IN_ALL


def make_client(reactor: Any, endpoints: IAgentEndpointFactory) -> HTTPClient:
    """Build the client of all scrapes; it keeps two connections a target.

    Args:
        reactor: for its timers.
        endpoints: where a URL leads.
    """
    pool = HTTPConnectionPool(reactor)
    pool.cachedConnectionTimeout = IDLE_SECONDS
    agent = Agent.usingEndpointFactory(reactor, endpoints, pool)
    # treq's own kind of jar, which its annotation names, differs in how it is read, and that is never done.
    no_cookies: Any = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return HTTPClient(Packed(agent), cookiejar=no_cookies)


@implementer(IAgent)
@define(eq=False)
class Packed:
    """An agent whose bodies stay packed: treq would unpack whatever comes in one go, a bomb too."""

    _agent: IAgent

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,
    ) -> Deferred[IResponse]:
        """Send a request; its answer says by another header how it is packed."""
        answer: Deferred[IResponse] = self._agent.request(method, uri, headers, bodyProducer)
        return answer.addCallback(_keep_packed)


def _keep_packed(response: IResponse) -> IResponse:
    how = response.headers.getRawHeaders(b"Content-Encoding")
    if how:
        response.headers.removeHeader(b"Content-Encoding")
        response.headers.setRawHeaders(PACKED, how)
    return response


def body_of(response: IResponse, most: int, budget: Budget) -> Deferred[list[bytes]]:
    """Return a Deferred of a body in the pieces in which it came; cancelling it closes the connection.

    Args:
        response: whose.
        most: bytes of it.
        budget: what it may have of.
    """
    collector = _Collector(most, budget)
    response.deliverBody(collector)
    return collector.done


def leave(response: IResponse) -> None:
    """Want nothing of a body."""
    response.deliverBody(_Unread())


class _Unread(Protocol):
    """Wants nothing of a body."""

    def connectionMade(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()


class _Collector(Protocol):
    """Keeps a body, up to a bound."""

    def __init__(self, most: int, budget: Budget) -> None:
        self._most = most
        self._left = most
        self._budget = budget
        self._pieces: list[bytes] = []
        self._over = False
        self.done: Deferred[list[bytes]] = Deferred(lambda _: self._close())

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        self._budget.left -= len(data)
        if self._left < 0:
            self._refuse(f"more than {self._most // 1024 // 1024} MiB")
        elif self._budget.left < 0:
            self._refuse(f"more than {MOST_IN_ALL // 1024 // 1024} MiB with the targets before it")
        else:
            self._pieces.append(data)

    def connectionLost(self, reason: Failure = Failure(ResponseDone())) -> None:  # noqa: B008
        if self._over:
            return
        self._over = True
        # Of a body without a length, nobody can say whether it was cut off.
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(self._pieces)
        else:
            self.done.errback(reason)

    def _refuse(self, why: str) -> None:
        if not self._over:
            self._close()
            self.done.errback(ScrapeError(why))

    def _close(self) -> None:
        self._over = True
        self._pieces.clear()
        if self.transport is not None:
            self.transport.loseConnection()
