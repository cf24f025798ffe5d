"""The wire under ``post.py``. Imported only when there is something to post, and aside."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    TimeoutError,  # noqa: A004
    inlineCallbacks,
    succeed,
)
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import implementer

from procwrap.core.cause import root_cause
from procwrap.core.oneline import one_line
from procwrap.sinks.post import MOST_BODY, TIMEOUT, Answer, PostError

IDLE_SECONDS = 30
"""How long a connection is kept for the next body; most servers keep it for longer."""


def make_agent(reactor: Any, endpoints: IAgentEndpointFactory) -> IAgent:
    """Build what keeps the connection.

    Not treq's client: it would unpack whatever comes in one go, a bomb too, and has a jar for cookies.

    Args:
        reactor: for its timers.
        endpoints: where a URL leads.
    """
    pool = HTTPConnectionPool(reactor)
    pool.cachedConnectionTimeout = IDLE_SECONDS
    agent: IAgent = Agent.usingEndpointFactory(reactor, endpoints, pool)
    return agent


@define(eq=False)
class Poster:
    """Posts to one URL.

    Args:
        url: without user and password.
        headers: of every request.
        explain: says in the system's own words why nobody could be reached.
    """

    _url: bytes = field(repr=False)
    _headers: Mapping[str, str] = field(repr=False)
    _agent: IAgent
    _clock: IReactorTime
    _explain: Callable[[Any], str]

    @inlineCallbacks
    def post(self, body: bytes, headers: Mapping[str, str]) -> Generator[Deferred[Any], Any, Answer]:
        """Post a body; a ``post.Post``."""
        deadline = self._clock.seconds() + TIMEOUT
        try:
            answer: Answer = yield self._ask(body, headers).addTimeout(TIMEOUT, self._clock)
        except Exception as error:
            is_late = self._clock.seconds() >= deadline
            raise PostError(self._words(root_cause(error), is_late=is_late)) from None
        return answer

    @inlineCallbacks
    def _ask(self, body: bytes, headers: Mapping[str, str]) -> Generator[Deferred[Any], Any, Answer]:
        sent = Headers({"User-Agent": ["procwrap"]})
        for name, value in (*self._headers.items(), *headers.items()):
            sent.setRawHeaders(name, [value])
        response: IResponse = yield self._agent.request(b"POST", self._url, sent, WholeBody(body))
        collector = _Collector()
        response.deliverBody(collector)
        said = yield collector.done
        names = response.headers.getAllRawHeaders()
        return Answer(
            response.code,
            {name.decode("latin-1").lower(): values[0].decode("latin-1") for name, values in names},
            said,
        )

    def _words(self, error: BaseException, *, is_late: bool) -> str:
        if isinstance(error, TimeoutError | CancelledError):
            return f"no answer within {TIMEOUT:g}s" if is_late else "given up"
        if isinstance(error, ConnectError | OSError):
            return one_line(self._explain(error))
        if type(error).__module__.startswith("OpenSSL"):
            return f"TLS failed{_of_openssl(error)}"
        if type(error).__module__.startswith("service_identity"):
            return "TLS failed: its certificate is for another host"
        # The text of an error may quote the URL with its secrets.
        return f"the connection was cut off, or it is not HTTP ({type(error).__name__})"


def _of_openssl(error: BaseException) -> str:
    # [('SSL routines', '', 'certificate verify failed')]
    stack = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return one_line(f": {stack[-1][-1]}") if stack else ""


@implementer(IBodyProducer)
@define(eq=False)
class WholeBody:
    """A body that is there in whole."""

    _data: bytes = field(repr=False)
    length: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.length = len(self._data)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Hand it over."""
        consumer.write(self._data)
        return succeed(None)

    def pauseProducing(self) -> None:
        """There is nothing to pause."""

    def resumeProducing(self) -> None:
        """There is nothing to resume."""

    def stopProducing(self) -> None:
        """There is nothing to stop."""


class _Collector(Protocol):
    """Keeps the beginning of a body."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._left = MOST_BODY
        self._over = False
        self.done: Deferred[bytes] = Deferred(lambda _: self._close())

    def dataReceived(self, data: bytes) -> None:
        if self._over:
            return
        self._pieces.append(data[: self._left])
        self._left -= len(data)
        if self._left <= 0:
            self._close()
            self.done.callback(b"".join(self._pieces))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._over:
            return
        self._over = True
        # Of a body without a length, nobody can say whether it was cut off.
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(b"".join(self._pieces))
        else:
            self.done.errback(reason)

    def _close(self) -> None:
        self._over = True
        if self.transport is not None:
            self.transport.loseConnection()
