"""A procwrap that is asked over HTTP: one question, one answer, or a stream of events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import NamedTuple

from procwrap.client import sse
from procwrap.client.connect import Left, Line, connect
from procwrap.client.target import Target
from procwrap.core.printable import printable
from procwrap.errors import NoHostError, OrderRefusedError

PATIENCE = 10.0
"""Seconds that a host has for an answer that needs no waiting, all of it."""
SILENCE = 35.0
"""Seconds without a byte in which a host that is followed gave three signs of life, were it alive."""
LARGEST = 64 * 1024 * 1024
"""Bytes of an answer."""

_PIECE = 64 * 1024
_TOO_LARGE = f"its answer is larger than {LARGEST // 1024 // 1024} MiB"
_TURNED_AWAY = {
    401: "the token is missing or wrong: give --token-file FILE",
    403: "only its control socket admits, for it has no token: set PROCWRAP_API_TOKEN there",
}


class Answer(NamedTuple):
    """An answer: its status, the object in it, and whether there was just no room for the question."""

    status: int
    document: Mapping[str, object]
    is_busy: bool = False

    @property
    def error(self) -> str:
        """What the host had to say against it."""
        said = self.document.get("error")
        return printable(said) if isinstance(said, str) and said else f"status {self.status}"


class Host:
    """Asks one procwrap; each question has a connection of its own, so that several may wait at once.

    Attributes:
        name: what messages call it.
    """

    def __init__(self, target: Target, now: Callable[[], float], patience: float = PATIENCE) -> None:
        self._target = target
        self._now = now
        self._patience = patience
        self.name = target.name

    def ask(
        self, path: str, method: str = "GET", longer: float | None = 0.0, admits: Collection[int] = (200,)
    ) -> Answer:
        """Ask for a JSON object.

        Args:
            path: with its query.
            method: of HTTP.
            longer: seconds that the answer may take longer than any other; None waits as long as it takes.
            admits: the statuses that the caller knows what to do with.

        Raises:
            NoHostError: there is no procwrap, or it does not answer as one.
            OrderRefusedError: it answers with another status.
        """
        patience = None if longer is None else self._patience + longer
        with self._asked(path, method, patience, {"Accept": "application/json"}) as (_, response):
            body, status = self._all(response), response.status
            # Without Retry-After (RFC 9110, 10.2.3) a 503 is one that waiting does not help.
            is_busy = status == 503 and response.getheader("Retry-After") is not None
        document = _json_object(body)
        if status not in admits:
            raise self._refused(status, document)
        if document is None:
            raise self._no_procwrap(f"its answer to {method} {path} is no JSON")
        return Answer(status, document, is_busy)

    def text(self, path: str) -> bytes:
        """Ask for a text.

        Raises:
            NoHostError: as for ``ask``.
            OrderRefusedError: as for ``ask``, or what is asked for does not exist.
        """
        with self._asked(path, "GET", self._patience, {"Accept": "text/plain"}) as (_, response):
            body = self._all(response)
            if response.status != 200:
                raise self._refused(response.status, _json_object(body))
        return body

    def stream(self, path: str, last_id: str = "") -> Iterator[sse.Event]:
        """Follow a stream of events until the host ends it; an event of the kind ``OPEN`` comes first.

        Args:
            path: with its query.
            last_id: the id of the last event that is known already.

        Raises:
            NoHostError: as for ``ask``; or the stream has broken off.
            OrderRefusedError: as for ``text``.
        """
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        with self._asked(path, "GET", self._patience, headers) as (line, response):
            kind = response.getheader("Content-Type", "").partition(";")[0].strip()
            if response.status != 200:
                raise self._refused(response.status, _json_object(self._all(response)))
            if kind != "text/event-stream":
                raise self._no_procwrap(f"its answer to GET {path} is no stream of events")
            reader = sse.Reader()
            reader.last_id = last_id
            yield sse.Event(sse.OPEN, "", last_id)
            line.left = lambda: SILENCE
            while piece := response.read1(_PIECE):
                try:
                    yield from reader.feed(piece)
                except sse.TooLargeError as error:
                    raise self._no_procwrap(str(error)) from None

    def _all(self, response: HTTPResponse) -> bytes:
        found = bytearray()
        if response.length and response.length > LARGEST:
            raise self._no_procwrap(_TOO_LARGE)
        while piece := response.read(_PIECE):
            found += piece
            if len(found) > LARGEST:
                raise self._no_procwrap(_TOO_LARGE)
        if response.length:
            raise self._no_procwrap("its answer ended in the middle")
        return bytes(found)

    @contextmanager
    def _asked(
        self, path: str, method: str, patience: float | None, headers: Mapping[str, str]
    ) -> Iterator[tuple[Line, HTTPResponse]]:
        """Ask, and turn whatever goes wrong until the answer was read into one line."""
        target = self._target
        began = self._now()
        connected = connect(target, self._patience)
        line = Line(connected, self._until(None if patience is None else began + patience))
        try:
            asking = HTTPConnection(target.host, target.port)
            asking.sock = line
            asking.request(method, target.prefix + path, headers={**headers, **self._login()})
            yield line, asking.getresponse()
        except TimeoutError:
            raise self._silent(self._now() - began) from None
        except (HTTPException, ValueError) as error:
            raise self._no_procwrap(_http_trouble(error)) from None
        except BrokenPipeError:
            raise self._no_procwrap("it closed the connection") from None
        except OSError as error:
            raise self._no_procwrap(f"the connection broke: {error.strerror or error}") from None
        finally:
            line.hang_up()

    def _login(self) -> dict[str, str]:
        token = self._target.token
        return {"Authorization": f"Bearer {token}"} if token is not None else {}

    def _until(self, end: float | None) -> Left:
        return lambda: None if end is None else end - self._now()

    def _silent(self, seconds: float) -> NoHostError:
        return NoHostError(
            f"no answer from {self.name} within {seconds:.0f}s: it is busy, stopped, or no procwrap"
        )

    def _no_procwrap(self, why: str) -> NoHostError:
        return NoHostError(f"cannot talk to what is at {self.name}: {why}")

    def _refused(self, status: int, document: Mapping[str, object] | None) -> Exception:
        if document is None or "error" not in document:
            return self._no_procwrap(f"it answers with status {status}: is procwrap there?")
        said = _TURNED_AWAY.get(status) or Answer(status, document).error
        return OrderRefusedError(f"{self.name} refuses: {said}")


def _json_object(body: bytes) -> Mapping[str, object] | None:
    import json

    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _http_trouble(error: Exception) -> str:
    from http.client import IncompleteRead, RemoteDisconnected

    if isinstance(error, RemoteDisconnected):
        return "it closed the connection without an answer"
    if isinstance(error, IncompleteRead):
        return "its answer ended in the middle"
    return "it does not speak HTTP"
