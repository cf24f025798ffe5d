from __future__ import annotations

from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface.verify import verifyObject

from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.http import Http
from procwrap.spec.probe import HttpProbe
from tests.support.probes import context


class Site(Resource):
    """Answers ``/STATUS``, with the Location given in ``locations``; remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.isLeaf = True
        self.locations: dict[bytes, bytes] = {}
        self.asked: list[tuple[bytes, bytes]] = []
        self.headers: dict[bytes, list[bytes]] = {}

    def render(self, request: Any) -> bytes | int:
        """Answer."""
        self.asked.append((request.method, request.uri))
        self.headers = dict(request.requestHeaders.getAllRawHeaders())
        if request.path == b"/silent":
            return NOT_DONE_YET
        request.setResponseCode(int(request.path.split(b"/")[1]))
        if request.uri in self.locations:
            request.setHeader(b"Location", self.locations[request.uri])
        return b"body"


class HttpTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.site = Site()

    def probe(self, path: str = "/200", **settings: Any) -> Http:
        url = path if "://" in path else f"http://localhost:8080{path}"
        client = StubTreq(self.site)
        return Http(HttpProbe(url, **settings), context(Clock(), http=lambda: client))

    def succeeds(self, path: str, **settings: Any) -> None:
        self.assertIsNone(self.successResultOf(self.probe(path, **settings).check()))

    def reason(self, path: str, **settings: Any) -> str:
        checked = self.probe(path, **settings).check()
        failed: ProbeError = self.failureResultOf(checked, ProbeError).value
        return failed.reason

    def test_provides_iprobe(self) -> None:
        """It is a probe like any other."""
        verifyObject(IProbe, self.probe())
        self.assertEqual((self.probe().kind, self.probe().timeout), ("http", 2.0))

    def test_right_status(self) -> None:
        """Any status from 200 to 399 is well by default."""
        for status in (200, 204, 301, 304, 399):
            self.succeeds(f"/{status}")

    def test_wrong_status(self) -> None:
        """Any other fails, with URL, status and expectation."""
        for status in (400, 404, 500, 503):
            self.assertEqual(
                self.reason(f"/{status}"),
                f"http://localhost:8080/{status}: {status}, expected 200-399",
            )

    def test_configured_statuses(self) -> None:
        """Configured statuses and ranges replace the default."""
        statuses = ((204, 204), (400, 499))
        self.succeeds("/404", statuses=statuses)
        self.succeeds("/204", statuses=statuses)
        self.assertIn(": 200, expected 204,400-499", self.reason("/200", statuses=statuses))

    def test_method_and_headers(self) -> None:
        """The request has the configured method and headers, Host among them; repeated ones stay repeated."""
        headers = (("Host", "api.example"), ("X-A", "1"), ("X-A", "2"), ("User-Agent", "me"))
        self.succeeds("/200", method="HEAD", headers=headers)
        self.assertEqual(self.site.asked, [(b"HEAD", b"/200")])
        sent = self.site.headers
        self.assertEqual((sent[b"Host"], sent[b"X-A"]), ([b"api.example"], [b"1", b"2"]))
        self.assertEqual(sent[b"User-Agent"], [b"me"])

    def test_own_name(self) -> None:
        """Without headers the request says who asks, and has the URL's host."""
        self.succeeds("/200")
        self.assertEqual(self.site.headers[b"User-Agent"], [b"procwrap"])
        self.assertEqual(self.site.headers[b"Host"], [b"localhost:8080"])

    def test_secrets_are_hidden(self) -> None:
        """A URL shows neither login nor secret parameters when it fails; the request has them."""
        reason = self.reason("http://user:pass@localhost:8080/500?token=abc&x=1")
        self.assertEqual(reason, "http://localhost:8080/500?token=***&x=1: 500, expected 200-399")
        self.assertEqual(self.site.asked, [(b"GET", b"/500?token=abc&x=1")])

    def test_redirect_to_the_same_host(self) -> None:
        """A redirect to the same host is followed, to another port too; the last status counts."""
        self.site.locations = {b"/302": b"/307?x", b"/307?x": b"http://localhost:9090/503"}
        self.assertEqual(self.reason("/302"), "http://localhost:8080/302: 503, expected 200-399")
        self.assertEqual([uri for _, uri in self.site.asked], [b"/302", b"/307?x", b"/503"])

    def test_redirect_to_another_host(self) -> None:
        """A redirect to another host is not followed: it is an answer, and a good one."""
        for location in (b"http://example.com/503", b"//example.com/503", b"http://localhost.evil/503"):
            self.site.locations[b"/302"] = location
            self.succeeds("/302")
        self.assertEqual({uri for _, uri in self.site.asked}, {b"/302"})

    def test_redirect_nowhere(self) -> None:
        """A Location that is no usable URL is not followed."""
        for location in (b"", b"\xff\xfe", b"ftp://localhost/", b"http://[", b"http://localhost:99999999/"):
            self.site.locations[b"/302"] = location
            self.succeeds("/302")
        self.assertEqual({uri for _, uri in self.site.asked}, {b"/302"})

    def test_login_of_a_redirect(self) -> None:
        """A peer cannot make the probe log in somewhere."""
        self.site.locations[b"/302"] = b"http://user:pass@localhost:8080/200"
        self.succeeds("/302")
        self.assertNotIn(b"Authorization", self.site.headers)

    def test_redirect_loop(self) -> None:
        """Ten redirects are followed, not more."""
        self.site.locations[b"/302"] = b"/302"
        self.assertEqual(
            self.reason("/302"), "http://localhost:8080/302: more than 10 redirects, expected 200-399"
        )
        self.assertEqual(len(self.site.asked), 11)

    def test_statuses_that_ask_for_a_redirect(self) -> None:
        """Who expects a redirect gets to see it, and it is not followed."""
        self.site.locations[b"/302"] = b"/503"
        self.succeeds("/302", statuses=((302, 302),))
        self.assertEqual(len(self.site.asked), 1)

    def test_method_after_a_redirect(self) -> None:
        """A POST becomes a GET after 301, 302 and 303 and stays one after 307 and 308; HEAD stays HEAD."""
        for status, method in ((301, b"GET"), (302, b"GET"), (303, b"GET"), (307, b"POST"), (308, b"POST")):
            self.site.asked.clear()
            self.site.locations[f"/{status}".encode()] = b"/200"
            self.succeeds(f"/{status}", method="POST")
            self.assertEqual(self.site.asked[1][0], method)
        self.succeeds("/303", method="HEAD")
        self.assertEqual(self.site.asked[-1][0], b"HEAD")

    def test_cancel(self) -> None:
        """A probe that is cancelled gives up its request."""
        given_up: list[object] = []
        client = StubTreq(self.site)
        client.request = lambda *_, **__: Deferred(given_up.append)
        checked = Http(HttpProbe("http://localhost/"), context(Clock(), http=lambda: client)).check()
        checked.cancel()
        self.failureResultOf(checked)
        self.assertEqual(len(given_up), 1)

    def test_request_that_cannot_be_made(self) -> None:
        """What cannot be requested is a failed probe; the URL of the error's text is not repeated."""
        self.assertEqual(
            self.reason("http://localhost:port/?token=abc"),
            "http://localhost:port/?token=***: cannot be requested (URLParseError), expected 200-399",
        )
