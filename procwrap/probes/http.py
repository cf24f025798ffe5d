"""The ``http`` probe: request a URL and look at the status."""

from __future__ import annotations

from collections.abc import Generator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from attrs import define, field
from treq.client import HTTPClient
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.web.client import Agent, HTTPConnectionPool, ResponseFailed, ResponseNeverReceived
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse
from zope.interface import implementer

from procwrap.core.cause import root_cause
from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.aside import Asides
from procwrap.probes.context import ProbeContext
from procwrap.probes.httpwire import BoundedFactory, Endpoints, FloodError, HeadOnly
from procwrap.probes.secrets import shown_url
from procwrap.probes.wording import missed, trouble
from procwrap.spec.probe import HttpProbe

MOST_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})


def make_client(reactor: Any, asides: Asides | None = None) -> HTTPClient:
    """Build the client that all http probes share.

    Each request has a connection of its own, as the kubelet's have: one that is kept open would go on
    answering when nobody accepts new ones any more, and occupies a server that serves one at a time.
    Cookies are refused, so that no probe sees what another was given.
    """
    pool = HTTPConnectionPool(reactor, persistent=False)
    endpoints = Endpoints(
        reactor, asides or Asides(reactor), lambda factory: BoundedFactory(factory, reactor)
    )
    agent = Agent.usingEndpointFactory(reactor, endpoints, pool)
    # treq's own kind of jar, which its annotation names, differs in how it is read, and that is never done.
    no_cookies: Any = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return HTTPClient(HeadOnly(agent, reactor), cookiejar=no_cookies)


@implementer(IProbe)
@define(eq=False)
class Http:
    """Succeeds when the status is one of those configured.

    Redirects are followed to the same host only, as the kubelet does; other ones, and all when the
    statuses ask for a redirect, are an answer as they are.
    """

    _spec: HttpProbe
    _context: ProbeContext
    target: str = field(init=False)
    expected: str = field(init=False)
    _url: SplitResult = field(init=False, repr=False)
    _headers: Headers = field(init=False, repr=False)

    kind = "http"

    def __attrs_post_init__(self) -> None:
        self._url = urlsplit(self._spec.url)
        self._headers = _headers(self._spec)
        self.target = shown_url(self._spec.url)
        self.expected = ",".join(_range(first, last) for first, last in self._spec.statuses)

    @property
    def timeout(self) -> float:
        """As configured; redirects included."""
        return self._spec.timeout

    @inlineCallbacks
    def check(self) -> Generator[Deferred[Any], Any, None]:
        """Request the URL, and what it redirects to."""
        try:
            status = yield self._final_status()
        except ProbeError:
            raise
        except Exception as error:
            raise self._explained(error) from None
        if not self._accepts(status):
            raise missed(self, str(status))

    def close(self) -> None:
        """Nothing is kept."""

    @inlineCallbacks
    def _final_status(self) -> Generator[Deferred[Any], Any, int]:
        url, method = _without_userinfo(self._url), self._spec.method
        for _ in range(MOST_REDIRECTS + 1):
            response = yield self._request(method, url)
            following = self._redirected(url, response)
            if following is None:
                status: int = response.code
                return status
            url, method = following, _method_after(response.code, method)
        raise missed(self, f"more than {MOST_REDIRECTS} redirects")

    def _request(self, method: str, url: str) -> Deferred[Any]:
        return self._context.http().request(
            method,
            url,
            headers=self._headers,
            allow_redirects=False,
            unbuffered=True,
            reactor=self._context.reactor,
        )

    def _redirected(self, url: str, response: IResponse) -> str | None:
        """Return the URL to go on with, or None when this response is the one that counts."""
        location = response.headers.getRawHeaders(b"Location", [b""])[0]
        if response.code not in REDIRECTS or not location or self._asks_for_redirect():
            return None
        try:
            target = urlsplit(urljoin(url, location.decode("ascii")))
            usable = target.scheme in ("http", "https") and target.port != 0
        except ValueError:
            return None
        return _without_userinfo(target) if usable and target.hostname == self._url.hostname else None

    def _asks_for_redirect(self) -> bool:
        return any(first >= 300 and last <= 399 for first, last in self._spec.statuses)

    def _accepts(self, status: int) -> bool:
        return any(first <= status <= last for first, last in self._spec.statuses)

    def _explained(self, error: Exception) -> ProbeError:
        cause = root_cause(error)
        if isinstance(cause, FloodError):
            return missed(self, "an endless answer")
        if isinstance(cause, ConnectionClosed):
            begun = isinstance(error, ResponseFailed) and not isinstance(error, ResponseNeverReceived)
            return missed(self, f"connection closed {'within the' if begun else 'without an'} answer")
        if isinstance(cause, ConnectError | OSError):
            return missed(self, trouble(cause))
        if type(cause).__module__.startswith("OpenSSL"):
            return missed(self, f"TLS failed{_tls_reason(cause)}")
        if isinstance(error, ResponseFailed):
            return missed(self, "not an HTTP answer")
        # The text of an error of another kind may quote the URL or a header with its secrets.
        return missed(self, f"cannot be requested ({type(cause).__name__})")


def _headers(spec: HttpProbe) -> Headers:
    headers = Headers()
    for name, value in spec.headers:
        headers.addRawHeader(name, value)
    for name, value in (("User-Agent", "procwrap"), ("Accept", "*/*")):
        if not headers.hasHeader(name):
            headers.addRawHeader(name, value)
    return headers


def _without_userinfo(url: SplitResult) -> str:
    return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()


def _method_after(status: int, method: str) -> str:
    """Return the method after a redirect, as browsers do and RFC 9110 (15.4) allows."""
    turned = status == 303 or (status in (301, 302) and method == "POST")
    return "GET" if turned and method != "HEAD" else method


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _tls_reason(error: BaseException) -> str:
    """Return what OpenSSL said last: its errors carry a list of (library, function, reason)."""
    try:
        return f": {error.args[0][-1][-1]}"
    except (IndexError, TypeError):
        return ""
