"""Two questions to Kubernetes' API server: how our Pod is, and from then on what changes about it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Mapping
from typing import Any
from urllib.parse import urlencode

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IReactorTime
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IResponse

from procwrap.core.cause import root_cause
from procwrap.core.oneline import one_line
from procwrap.pod.body import deliver
from procwrap.pod.credentials import ServiceAccount
from procwrap.pod.problem import ApiError, ExpiredError, TokenError
from procwrap.pod.watch import MOST_BYTES

ANSWER = 10.0
"""Seconds for a list, and for the head of a watch."""
LEEWAY = 15.0
"""Seconds for which a watch may outlast the time that it was asked for."""
MOST_ERROR = 65536
"""Bytes of an answer that says what is wrong."""

_USER = re.compile(r'User "([^"\s]{1,253})"')


@define(eq=False)
class ApiServer:
    """Asks about one Pod.

    Args:
        agent: has TLS that verifies the API server's certificate.
        account: who we are.
        base: the URL of the API server, ``https://10.0.0.1:443``.
        namespace: of the Pod; ``name`` is its own.
        explain: says in the system's own words why nobody could be reached.
    """

    _agent: IAgent
    _account: ServiceAccount = field(repr=False)
    _clock: IReactorTime
    _base: str
    namespace: str
    _name: str
    _explain: Callable[[Any], str]

    @inlineCallbacks
    def list(self) -> Generator[Deferred[Any], Any, bytes]:
        """Ask how the Pod is; return the body of the answer.

        Raises:
            ApiError: there is none.
        """
        pieces: list[bytes] = []
        left = MOST_BYTES

        def take(piece: bytes) -> None:
            nonlocal left
            left -= len(piece)
            if left < 0:
                raise ApiError(f"the API server answers with more than {MOST_BYTES // 1024} KiB")
            pieces.append(piece)

        try:
            yield self._in_time(self._list(take))
        except Exception as error:
            raise self._explained(error) from None
        return b"".join(pieces)

    @inlineCallbacks
    def _in_time(self, asking: Deferred[Any]) -> Generator[Deferred[Any], Any, Any]:
        """Wait for an answer. Agent has its own words for being cancelled, so that addTimeout is no help."""
        late = ApiError(f"the API server does not answer within {ANSWER:g}s")
        timer = self._clock.callLater(ANSWER, asking.cancel)
        try:
            return (yield asking)
        except Exception:
            if not timer.active():
                raise late from None
            raise
        finally:
            if timer.active():
                timer.cancel()

    @inlineCallbacks
    def _list(self, take: Callable[[bytes], None]) -> Generator[Deferred[Any], Any, None]:
        response = yield self._ask("list", {})
        yield deliver(response, take, self._clock, ANSWER)

    @inlineCallbacks
    def watch(
        self, version: str, seconds: int, began: Callable[[], None], take: Callable[[bytes], None]
    ) -> Generator[Deferred[Any], Any, None]:
        """Ask what changes about the Pod from a version on; ends when the API server ends it.

        Args:
            version: from a list or from an earlier change.
            seconds: after which the API server is to end it.
            began: called when it begins to answer.
            take: gets the answer piece by piece; what it raises ends the watch.

        Raises:
            ApiError: it failed, or could not be begun.
        """
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        try:
            response = yield self._in_time(self._ask("watch", query))
            began()
            yield deliver(response, take, self._clock, seconds + LEEWAY)
        except Exception as error:
            raise self._explained(error) from None

    @inlineCallbacks
    def _ask(self, verb: str, query: Mapping[str, str]) -> Generator[Deferred[Any], Any, IResponse]:
        selected = {"fieldSelector": f"metadata.name={self._name}", **query}
        url = f"{self._base}/api/v1/namespaces/{self.namespace}/pods?{urlencode(selected)}"
        token = self._account.token()
        headers = Headers(
            {"Authorization": [f"Bearer {token}"], "Accept": ["application/json"], "User-Agent": ["procwrap"]}
        )
        response: IResponse = yield self._agent.request(b"GET", url.encode("ascii"), headers)
        if response.code == 200:
            return response
        raise self._refusal(verb, response.code, (yield self._error_of(response)))

    @inlineCallbacks
    def _error_of(self, response: IResponse) -> Generator[Deferred[Any], Any, str]:
        """Return what the API server says in the answer to a request that it does not grant."""
        body = bytearray()

        def take(piece: bytes) -> None:
            body.extend(piece)
            if len(body) > MOST_ERROR:
                raise ApiError("too much")

        try:
            yield deliver(response, take, self._clock, ANSWER)
            status = json.loads(bytes(body))
        except CancelledError:
            raise
        except Exception:
            return ""
        message = status.get("message") if isinstance(status, dict) else None
        return message if isinstance(message, str) else ""

    def _refusal(self, verb: str, code: int, message: str) -> ApiError:
        if code == 410:
            return ExpiredError("the API server has forgotten what happened since the last version")
        if code == 401:
            return TokenError(
                "the API server does not accept the token of the Pod's service account", refused=True
            )
        if code == 403:
            return ApiError(self._forbidden(verb, message), refused=True)
        said = f": {one_line(message)}" if message else ""
        return ApiError(f"the API server answers {code}{said}")

    def _forbidden(self, verb: str, message: str) -> str:
        found = _USER.search(message)
        who = one_line(found[1]) if found else "the Pod's service account"
        return (
            f"{who} may not {verb} pods in the namespace {self.namespace}: bind it to a Role with "
            '{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}'
        )

    def _explained(self, error: Exception) -> Exception:
        cause = root_cause(error)
        if isinstance(error, ApiError):
            return error
        if isinstance(cause, ApiError):
            return cause
        if isinstance(cause, CancelledError):
            return cause
        if isinstance(cause, ConnectionClosed):
            return ApiError("the API server has closed the connection")
        if isinstance(cause, ConnectError | OSError):
            return ApiError(f"the API server at {self._base} cannot be reached: {self._explain(cause)}")
        if type(cause).__module__.startswith(("OpenSSL", "service_identity")):
            return ApiError(f"the API server at {self._base} is not whom it should be: {_tls_reason(cause)}")
        return ApiError(f"the API server cannot be asked ({type(cause).__name__})")


def _tls_reason(error: BaseException) -> str:
    """Return what OpenSSL said last: its errors carry a list of (library, function, reason)."""
    said = error.args[0] if error.args else None
    last = said[-1] if isinstance(said, list) and said else None
    return str(last[-1]) if isinstance(last, tuple) and last else "its certificate is for another name"
