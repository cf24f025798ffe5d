"""Asks targets for their metrics: many at once, each within its time and its size."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from attrs import define, field, frozen
from treq.client import HTTPClient
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    DeferredSemaphore,
    TimeoutError,  # noqa: A004
    inlineCallbacks,
)
from twisted.internet.error import ConnectError
from twisted.web.client import ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from procwrap.core.cause import root_cause
from procwrap.metrics.syntax import Syntax
from procwrap.metrics.unpack import MOST_BYTES
from procwrap.web.scrapewire import PACKED, Budget, ScrapeError, body_of, leave

CONCURRENCY = 100
_TEXT, _OPEN = b"text/plain;version=0.0.4", b"application/openmetrics-text;version=1.0.0"
_ACCEPTED = {
    Syntax.TEXT: b"%s,%s;q=0.5,*/*;q=0.1" % (_TEXT, _OPEN),
    Syntax.OPENMETRICS: b"%s,%s;q=0.5,*/*;q=0.1" % (_OPEN, _TEXT),
}


@frozen
class Source:
    """Where a process shows its metrics.

    Attributes:
        shown: the URL for people, without secrets.
    """

    process: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    shown: str


@frozen
class Scraped:
    """The body that a target has sent, in the pieces in which it came."""

    pieces: list[bytes] = field(repr=False)
    content_type: str
    gzipped: bool


@define(eq=False)
class Scraper:
    """Asks targets.

    Attributes:
        client: as from ``make_client``.
        clock: the reactor; its time is all that is used of it.
        explain: says in the system's own words why nobody could be reached.
        most: bytes of one answer.
    """

    _client: HTTPClient
    _clock: Any
    _explain: Callable[[Any], str]
    _most: int = MOST_BYTES
    _places: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(CONCURRENCY))

    @inlineCallbacks
    def scrape(
        self, target: Source, wanted: Syntax, deadline: float, budget: Budget
    ) -> Generator[Deferred[Any], Any, Scraped]:
        """Ask one target; cancelling it closes its connection.

        Args:
            target: whom.
            wanted: the syntax that is preferred.
            deadline: reactor seconds until which the answer has to be there in whole.
            budget: what all targets may send.

        Raises:
            ScrapeError: there are no metrics to be had.
        """
        began = self._clock.seconds()
        asked = self._places.run(self._ask, target, wanted, budget)
        asked.addTimeout(max(deadline - began, 0.0), self._clock)
        try:
            scraped: Scraped = yield asked
            return scraped
        except ScrapeError:
            raise
        except Exception as error:
            cause = root_cause(error)
            if isinstance(cause, TimeoutError | CancelledError):
                if self._clock.seconds() < deadline:
                    raise CancelledError from None
                raise ScrapeError(f"no answer within {round(deadline - began, 1):g}s") from None
            raise ScrapeError(self._words(cause, begun=isinstance(error, ResponseFailed))) from None

    @inlineCallbacks
    def _ask(self, target: Source, wanted: Syntax, budget: Budget) -> Generator[Deferred[Any], Any, Scraped]:
        headers = Headers()
        headers.setRawHeaders(b"Accept", [_ACCEPTED[wanted]])
        headers.setRawHeaders(b"User-Agent", [b"procwrap"])
        for name, value in target.headers:
            headers.addRawHeader(name, value)
        response = yield self._client.request(
            "GET", target.url, headers=headers, allow_redirects=False, unbuffered=True, reactor=self._clock
        )
        if response.code != 200:
            leave(response)
            raise ScrapeError(f"{response.code}, expected 200")
        packed = _header(response, PACKED).lower()
        if packed not in ("", "identity", "gzip", "x-gzip"):
            leave(response)
            raise ScrapeError("packed in a way that was not asked for")
        pieces: list[bytes] = yield body_of(response, self._most, budget)
        return Scraped(pieces, _header(response, b"Content-Type"), packed.endswith("gzip"))

    def _words(self, error: BaseException, *, begun: bool) -> str:
        if isinstance(error, ConnectError | OSError):
            return self._explain(error)
        if type(error).__module__.startswith("OpenSSL"):
            return "TLS failed"
        # The text of an error may quote the URL with its secrets.
        how = "the answer was cut off or is not HTTP" if begun else "cannot be asked"
        return f"{how} ({type(error).__name__})"


def _header(response: IResponse, name: bytes) -> str:
    values: list[bytes] = response.headers.getRawHeaders(name, [b""])
    return values[0].decode("latin-1").strip()
