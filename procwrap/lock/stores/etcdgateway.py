"""The way to etcd: questions to whichever member answers, over connections that are kept.

A member that refuses, hangs or has no leader goes to the end of the line, and the next one is asked. Whether
the first has done what it was asked for is not known then: whoever asks has to know how to ask twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any

from attrs import define, field
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers

from procwrap.core.cause import root_cause
from procwrap.lock.lease import StoreError

ATTEMPT = 1.0
"""Seconds for one member to answer."""
ALTOGETHER = 2.5
"""Seconds for all of them."""
PAUSE = 0.1
"""Seconds before the members are asked again, when each of them has failed at once."""
LAST = 0.25
"""Seconds that have to be left for another attempt."""
MOST_BODY = 16 * 1024 * 1024

_PASSING = frozenset({1, 2, 4, 8, 10, 13, 14})
"""Status codes of gRPC that another member, or a moment later, may not give: there is no leader, say."""
_HEADERS = Headers({"content-type": ["application/json"], "user-agent": ["procwrap"]})


class EtcdError(StoreError):
    """etcd does not want to do that.

    Attributes:
        code: the status code of gRPC.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"etcd: {text}")
        self.code = code


class _PassingError(Exception):
    """This member cannot answer now; the text says why."""


@define(eq=False)
class Gateway:
    """Asks the members of one cluster.

    Args:
        endpoints: URLs without a path.
        clock: the reactor's time.
        explain: says in the system's own words why nobody could be reached.
    """

    _endpoints: list[str]
    _client: HTTPClient
    _clock: Any
    _explain: Callable[[Any], str]
    _why: str = field(init=False, default="")

    @inlineCallbacks
    def ask(self, path: str, message: bytes) -> Generator[Deferred[Any], Any, list[dict[str, Any]]]:
        """Ask whichever member answers.

        Returns:
            The JSON objects of the answer, one a line.

        Raises:
            EtcdError: etcd has said no.
            StoreError: nobody has answered in time.
        """
        end = self._clock.seconds() + ALTOGETHER
        tried = 0
        while True:
            member = self._endpoints[0]
            left = end - self._clock.seconds()
            if tried and left < LAST:
                # Too short to learn more than that it was too short.
                raise StoreError(f"cannot reach etcd: {self._why}")
            try:
                answer: list[dict[str, Any]] = yield self._attempt(member + path, message, min(ATTEMPT, left))
                return answer
            except _PassingError as error:
                self._why = f"{member}: {error}"
            self._put_last(member)
            tried += 1
            if tried % len(self._endpoints) == 0:
                yield deferLater(self._clock, PAUSE)

    def first(self) -> str:
        """Return the member that is asked next."""
        return self._endpoints[0]

    def open(self, url: str, message: bytes) -> Deferred[Any]:
        """Return a Deferred of a response whose body is not read yet; it has a moment to begin."""
        asked: Deferred[Any] = self._client.post(
            url,
            data=message,
            headers=_HEADERS,
            allow_redirects=False,
            unbuffered=True,
            reactor=self._clock,
        )
        return asked

    def _put_last(self, member: str) -> None:
        if self._endpoints[0] == member:
            self._endpoints.append(self._endpoints.pop(0))

    @inlineCallbacks
    def _attempt(
        self, url: str, message: bytes, patience: float
    ) -> Generator[Deferred[Any], Any, list[dict[str, Any]]]:
        end = self._clock.seconds() + patience
        asked = self._exchange(url, message).addTimeout(patience, self._clock)
        try:
            code, body = yield asked
        except Exception as error:
            if self._clock.seconds() >= end:
                raise _PassingError(f"no answer within {patience:.3g}s") from None
            cause = root_cause(error)
            if isinstance(cause, CancelledError):
                raise CancelledError from None
            raise _PassingError(self._words(cause)) from None
        answer = _parsed(body)
        refusals = [each for each in answer if "error" in each]
        if code == 200 and not refusals:
            return answer
        raise _refusal(code, (refusals or [{}])[0])

    @inlineCallbacks
    def _exchange(self, url: str, message: bytes) -> Generator[Deferred[Any], Any, tuple[int, bytes]]:
        response = yield self.open(url, message)
        collector = _Collector()
        response.deliverBody(collector)
        body: bytes = yield collector.done
        return response.code, body

    def _words(self, error: BaseException) -> str:
        if isinstance(error, OSError) or hasattr(error, "osError"):
            return self._explain(error)
        if type(error).__module__.startswith(("OpenSSL", "service_identity")):
            return f"TLS failed ({type(error).__name__})"
        return f"the connection was cut off, or it is not HTTP ({type(error).__name__})"


def _parsed(body: bytes) -> list[dict[str, Any]]:
    try:
        answer = [json.loads(line) for line in body.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise _PassingError("the answer is not JSON: is it etcd's client port?") from None
    if not all(isinstance(each, dict) for each in answer):
        raise _PassingError("the answer is not JSON objects: is it etcd's client port?")
    return answer


def _refusal(status: int, said: dict[str, Any]) -> Exception:
    inner = said.get("error")
    if isinstance(inner, dict):
        # Of a stream.
        said = {"code": inner.get("grpc_code", inner.get("code")), "message": inner.get("message")}
    code, text = said.get("code"), str(said.get("message") or said.get("error") or f"HTTP {status}")[:200]
    if not isinstance(code, int) or code in _PASSING:
        return _PassingError(text)
    return EtcdError(code, text)


class _Collector(Protocol):
    """Keeps a body, up to a bound."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._left = MOST_BODY
        self.done: Deferred[bytes] = Deferred(lambda _: self._close())

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._close()
        else:
            self._pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.done.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss) and self._left >= 0:
            self.done.callback(b"".join(self._pieces))
        else:
            self.done.errback(reason)

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.loseConnection()
