"""Who is answered: through the real site, with every header that somebody could think of."""

from __future__ import annotations

import json
from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http_headers import Headers

from procwrap.web.access import (
    FORBIDDEN,
    NEEDS_TOKEN,
    NO_TOKEN,
    UNAUTHORIZED,
    Access,
    Admission,
    TokenUnreadableError,
    fingerprint,
    fixed,
    judge,
)
from procwrap.web.answers import Reply, data
from procwrap.web.front import Front
from procwrap.web.limits import Limits
from procwrap.web.routing import Route, routed
from procwrap.web.site import HostView, make_control_site, make_front
from tests.support.web import Host, Wire, connect

TOKEN = "Zx9-very-secret"
RIGHT = f"Bearer {TOKEN}".encode()
WRONG = [
    (),
    (b"",),
    (b"Bearer",),
    (b"Bearer ",),
    (b"Bearer wrong",),
    (RIGHT[:-1],),
    (RIGHT + b"x",),
    (RIGHT + b" ",),
    (RIGHT + b",",),
    (TOKEN.encode(),),
    (b"Basic " + TOKEN.encode(),),
    (b"Token " + TOKEN.encode(),),
    (b"Bearer\t" + TOKEN.encode(),),
    (b"Bearer Bearer " + TOKEN.encode(),),
    (b"Bearer " + TOKEN.upper().encode(),),
    (b"Bearer \xff\xfe",),
    (("Bearer " + TOKEN.replace("e", "\u0435")).encode(),),
    (b"Bearer " + b"x" * 16 * 1024,),
    (RIGHT, RIGHT),
    (b"Bearer wrong", RIGHT),
]


def test_the_right_token() -> None:
    """The token admits, whatever the case of the scheme is."""
    expected = fingerprint(TOKEN.encode())
    for scheme in (b"Bearer ", b"bearer ", b"BEARER  "):
        assert judge(expected, (scheme + TOKEN.encode(),)) is None


def test_everything_else() -> None:
    """Whatever else is sent gets one and the same answer."""
    expected = fingerprint(TOKEN.encode())
    for headers in WRONG:
        assert judge(expected, headers) is NEEDS_TOKEN, headers
    assert NEEDS_TOKEN.headers == ((b"WWW-Authenticate", b"Bearer"),)


def test_without_a_token_nobody_is_admitted() -> None:
    """None, and an empty one above all, is not the token of those who send nothing."""
    for known in (fixed(None), fixed("")):
        for headers in ((), (b"Bearer ",), (b"Bearer",), (b"Bearer None",), (b"",)):
            assert judge(known(), headers) is NO_TOKEN


def answered(_: Any, name: str = "") -> Reply:
    """Answer with the name in the path."""
    return data({"name": name})


ROUTES = (
    Route("/open", ("GET",), Access.EVERYONE, answered),
    Route("/secret/<name>", ("POST",), Access.OPERATOR, answered),
    Route("/secret", ("GET",), Access.OPERATOR, answered),
)


class AdmissionTests(SynchronousTestCase):
    """A small site with both kinds of routes."""

    def setUp(self) -> None:
        self.token: Any = fixed(TOKEN)
        admission = Admission(lambda: self.token())  # noqa: PLW0108
        self.client = StubTreq(Front(routed(ROUTES, print, admission.admits), {}))

    def ask(self, method: str, path: str, *tokens: bytes) -> tuple[int, Any]:
        headers = Headers({b"authorization": list(tokens)} if tokens else {})
        asked = self.client.request(method, f"http://x{path}", headers=headers)
        self.client.flush()
        response = self.successResultOf(asked)
        text = self.successResultOf(response.text())
        return response.code, json.loads(text) if text else None

    def test_the_token_opens(self) -> None:
        """With the token all is answered, and parts of the path reach the route."""
        self.assertEqual(self.ask("GET", "/secret", RIGHT)[0], 200)
        self.assertEqual(self.ask("POST", "/secret/a", RIGHT), (200, {"name": "a"}))
        self.assertEqual(self.ask("GET", "/open"), (200, {"name": ""}))

    def test_no_method_gets_around_it(self) -> None:
        """HEAD, OPTIONS and methods that nobody knows are refused like any other."""
        for method in ("GET", "HEAD", "POST", "OPTIONS", "TRACE", "DELETE", "BREW"):
            for path in ("/secret", "/secret/a"):
                self.assertEqual(self.ask(method, path)[0], UNAUTHORIZED, (method, path))
        self.assertEqual(self.ask("DELETE", "/secret", RIGHT), (405, {"error": "only GET, HEAD"}))
        self.assertEqual(self.ask("DELETE", "/open")[0], 405)

    def test_a_refusal_tells_nothing(self) -> None:
        """It is the same for every name, and for every wrong token."""
        paths = ("/secret/a", "/secret/%2e", "/secret/" + "x" * 5000, "/secret/a?x=y", "/secret/%E2%98%83")
        self.assertEqual({json.dumps(self.ask("POST", path, b"Bearer x")) for path in paths},
                         {json.dumps(self.ask("POST", "/secret/b"))})  # fmt: skip

    def test_without_a_token(self) -> None:
        """403, also for who sends one."""
        self.token = fixed(None)
        for sent in ((), (RIGHT,), (b"Bearer ",)):
            self.assertEqual(self.ask("GET", "/secret", *sent)[0], FORBIDDEN)
            self.assertEqual(self.ask("DELETE", "/secret", *sent)[0], FORBIDDEN)

    def test_a_token_that_comes_later(self) -> None:
        """It may have to be read first."""
        self.token = lambda: succeed(fingerprint(TOKEN.encode()))
        self.assertEqual(self.ask("GET", "/secret", RIGHT)[0], 200)
        self.assertEqual(self.ask("GET", "/secret")[0], UNAUTHORIZED)
        self.assertEqual(self.ask("DELETE", "/secret")[0], UNAUTHORIZED)
        self.assertEqual(self.ask("DELETE", "/secret", RIGHT)[0], 405)

    def test_a_token_that_nobody_knows(self) -> None:
        """503, since it is our fault, and nobody is admitted."""

        def broken() -> bytes:
            raise TokenUnreadableError

        for token in (broken, lambda: fail(TokenUnreadableError())):
            self.token = token
            for method in ("GET", "DELETE"):
                code, body = self.ask(method, "/secret", RIGHT)
                self.assertEqual(code, 503)
                self.assertNotIn("Error", body["error"])
            self.assertEqual(self.ask("GET", "/open")[0], 200)

    def test_a_client_that_leaves_while_the_token_is_read(self) -> None:
        """Nobody is answered then, and nothing is done."""
        reading: Deferred[bytes] = Deferred()
        self.token = lambda: reading
        asked = self.client.request("POST", "http://x/secret/a", headers={"Authorization": RIGHT.decode()})
        self.client.flush()
        self.assertNoResult(asked)
        asked.cancel()
        self.client.flush()
        self.failureResultOf(asked)


class ControlSocketTests(SynchronousTestCase):
    """The same routes, through the control socket."""

    def setUp(self) -> None:
        self.host = Host()
        self.host.all_up()

    def ask(self, site: Any, request: str = "GET /env HTTP/1.1\r\nHost: x\r\n\r\n") -> int:
        channel, wire = connect(site)
        channel.dataReceived(request.encode())
        return wire.codes[0]

    def test_no_token_is_needed(self) -> None:
        """Who may connect there may do everything, whether or not there is a token."""
        for token in (None, TOKEN):
            self.host.token = token
            self.assertEqual(self.ask(make_control_site(self.host.view)), 200)

    def test_a_header_does_not_make_it_the_control_socket(self) -> None:
        """Only the connection itself counts."""
        for header in ("X-Forwarded-For: unix:", "Host: localhost", "X-Control: 1", "Origin: unix"):
            self.assertEqual(self.ask(self.host.site(), f"GET /env HTTP/1.1\r\n{header}\r\n\r\n"), FORBIDDEN)

    def test_a_flood_elsewhere_locks_nobody_out(self) -> None:
        """It has room of its own, for connections and for those who wait."""
        crowded, control = self.host.site(connections=2, crowd=1), make_control_site(self.host.view)
        for _ in range(50):
            connect(crowded)
        self.assertEqual(self.ask(control), 200)

    def test_it_has_bounds_too(self) -> None:
        """Not even the operator's own clients can take all there is."""
        control = make_control_site(self.host.view, Limits(waiting=1))
        wires: list[Wire] = [connect(control)[1] for _ in range(200)]
        self.assertGreater(len([wire for wire in wires if wire.codes == [503]]), 100)


class DefaultTests(SynchronousTestCase):
    """A site that nobody told about tokens."""

    def test_nobody_is_admitted(self) -> None:
        """What is forgotten is closed, not open."""
        host = Host()
        view = HostView(host.board, host.heartbeats, host.rule, host.clock, lambda: 0.0, float)
        client = StubTreq(make_front(view, Limits()))
        asked = client.request("GET", "http://x/env", headers={"Authorization": "Bearer "})
        client.flush()
        self.assertEqual(self.successResultOf(asked).code, FORBIDDEN)
