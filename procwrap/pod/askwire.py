"""The wire under ``ask.py``. Imported only when there is something to ask, and aside."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any
from urllib.parse import urlsplit

from attrs import define
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    TimeoutError,  # noqa: A004
    inlineCallbacks,
)
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IResponse

from procwrap.core.cause import root_cause
from procwrap.core.oneline import one_line
from procwrap.core.weblogin import basic_login
from procwrap.pod.ask import Answer, AskError, Request


def make_agent(reactor: Any, endpoints: IAgentEndpointFactory) -> IAgent:
    """Build what connects, anew for each request: what is asked here may be gone and come back any time.

    Args:
        reactor: for its timers.
        endpoints: where a URL leads; they bound what a connection may bring.
    """
    pool = HTTPConnectionPool(reactor, persistent=False)
    agent: IAgent = Agent.usingEndpointFactory(reactor, endpoints, pool)
    return agent


@define(eq=False)
class Asker:
    """Asks.

    Args:
        explain: says in the system's own words why nobody could be reached.
    """

    _agent: IAgent
    _clock: IReactorTime
    _explain: Callable[[Any], str]

    @inlineCallbacks
    def ask(self, request: Request) -> Generator[Deferred[Any], Any, Answer]:
        """Ask once; an ``ask.Ask``."""
        until = self._clock.seconds() + request.timeout
        asked = self._ask(request).addTimeout(request.timeout, self._clock)
        try:
            answer: Answer = yield asked
        except Exception as error:
            cause = root_cause(error)
            # Agent wraps what it is cancelled with, so addTimeout does not know it again.
            if isinstance(cause, CancelledError) and self._clock.seconds() < until:
                raise CancelledError from None
            raise AskError(self._words(cause, request)) from None
        return answer

    @inlineCallbacks
    def _ask(self, request: Request) -> Generator[Deferred[Any], Any, Answer]:
        parts = urlsplit(request.url)
        headers = Headers({"User-Agent": ["procwrap"], "Accept": ["*/*"]})
        login = basic_login(parts)
        if login is not None:
            headers.setRawHeaders("Authorization", [login])
        for name, value in request.headers.items():
            headers.setRawHeaders(name, [value])
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()
        response: IResponse = yield self._agent.request(
            request.method.encode("ascii"), url.encode("ascii"), headers, None
        )
        body = _Body()
        response.deliverBody(body)
        yield body.done
        found = response.headers.getAllRawHeaders()
        said = {name.decode("latin-1").lower(): values[0].decode("latin-1") for name, values in found}
        return Answer(response.code, said, b"".join(body.pieces))

    def _words(self, error: BaseException, request: Request) -> str:
        if isinstance(error, TimeoutError | CancelledError):
            return f"no answer within {request.timeout:g}s"
        if isinstance(error, ConnectError | OSError):
            return one_line(self._explain(error))
        if isinstance(error, ConnectionClosed):
            return "the connection was closed without an answer"
        if type(error).__module__.startswith(("OpenSSL", "service_identity")):
            return "TLS failed: its certificate could not be verified, or it does not speak TLS"
        # The text of an error of another kind may quote the URL with its secrets.
        return f"it does not speak HTTP as it should ({type(error).__name__})"


class _Body(Protocol):
    """Keeps a body; how much that may be is bounded by the connection."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        # Twisted's readBody does not close what is cancelled: its transport cannot abort.
        self.done: Deferred[None] = Deferred(lambda _: self._close())
        self._over = False

    def dataReceived(self, data: bytes) -> None:
        if not self._over:
            self.pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._over:
            return
        self._over = True
        # Of a body without a length, nobody can say whether it was cut off.
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(None)
        else:
            self.done.errback(reason)

    def _close(self) -> None:
        self._over = True
        if self.transport is not None:
            self.transport.loseConnection()
