from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.probes.wording import trouble
from procwrap.sinks.post import MOST_BODY, TIMEOUT, Answer, PostError
from procwrap.sinks.postwire import Poster, make_agent
from tests.support.scraped import Targets

LOGIN = {"authorization": "Basic dTpodW50ZXIy"}


class PosterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.targets = Clock(), Targets()

    def post(self, host: str = "loki", body: bytes = b"body") -> Deferred[Answer]:
        """Post to a host."""
        if not hasattr(self, "agent"):
            self.agent = make_agent(self.clock, self.targets)
        poster = Poster(f"http://{host}/push?key=k1".encode(), LOGIN, self.agent, self.clock, trouble)
        return poster.post(body, {"content-type": "text/x"})

    def reason(self, posted: Deferred[Answer]) -> str:
        """Why there was no answer."""
        return str(self.failureResultOf(posted, PostError).value)

    def test_what_is_sent(self) -> None:
        """One request with a length, the headers of all requests and those of this one."""
        self.post()
        head, _, body = self.targets.wire("loki").value().partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        self.assertEqual((first, body), ("POST /push?key=k1 HTTP/1.1", b"body"))
        self.assertEqual(
            {line.lower() for line in rest},
            {
                *("user-agent: procwrap", "content-type: text/x"),
                *("content-length: 4", "host: loki", "authorization: basic dtpodw50zxiy"),
            },
        )

    def test_what_comes_back(self) -> None:
        """Status, body, and headers by their names in lower case; any status is an answer."""
        posted = self.post()
        self.targets.wire("loki").answer(b"slow down", b"429 Slow", b"Retry-After: 3\r\n")
        answer = self.successResultOf(posted)
        self.assertEqual((answer.status, answer.body), (429, b"slow down"))
        self.assertEqual(answer.headers["retry-after"], "3")

    def test_the_connection_is_kept(self) -> None:
        """For the next body, and not for ever."""
        for _ in range(3):
            posted = self.post()
            self.targets.wire("loki").answer(b"")
            self.successResultOf(posted)
        self.assertEqual(len(self.targets.wires["loki"]), 1)
        self.clock.advance(60)
        self.assertTrue(self.targets.wire("loki").aborted)

    def test_a_long_answer(self) -> None:
        """Its beginning is enough; the connection is not used again."""
        posted = self.post()
        self.targets.wire("loki").answer(b"x" * (2 * MOST_BODY))
        self.assertEqual(len(self.successResultOf(posted).body), MOST_BODY)
        self.assertTrue(self.targets.wire("loki").aborted)

    def test_no_answer(self) -> None:
        """After ten seconds the connection is closed, wherever the answer has stopped."""
        for said in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"):
            posted = self.post()
            self.targets.wire("loki").say(said)
            self.clock.advance(TIMEOUT - 0.1)
            self.assertNoResult(posted)
            self.clock.advance(0.1)
            self.targets.obey()
            self.assertEqual(self.reason(posted), "no answer within 10s")
            self.assertTrue(self.targets.wire("loki").lost)

    def test_cancelled(self) -> None:
        """The connection is closed, with or without half an answer."""
        for said in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"):
            posted = self.post()
            self.targets.wire("loki").say(said)
            posted.cancel()
            self.targets.obey()
            self.assertEqual(self.reason(posted), "given up")
            self.assertTrue(self.targets.wire("loki").lost)
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused(self) -> None:
        """In the system's own words."""
        self.assertIn("refused", self.reason(self.post("nobody")))

    def test_cut_off(self) -> None:
        """An answer that ends early, or is not HTTP, is none; secrets of the URL are not told."""
        for said in (b"", b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"):
            posted = self.post()
            self.targets.wire("loki").say(said)
            if not self.targets.wire("loki").lost:
                self.targets.wire("loki").hang_up(error.ConnectionDone())
            reason = self.reason(posted)
            self.assertIn("cut off", reason)
            self.assertNotIn("k1", reason)

    def test_tls_failures(self) -> None:
        """OpenSSL's own words, without its brackets."""
        for problem, words in (
            (SSL.Error([("SSL routines", "", "certificate verify failed")]), ": certificate verify failed"),
            (SSL.Error(), ""),
        ):
            posted = self.post("secure")
            self.targets.wire("secure").hang_up(problem)
            self.assertEqual(self.reason(posted), f"TLS failed{words}")

    def test_secrets_are_not_shown(self) -> None:
        """Not even to somebody who prints the object."""
        poster: Any = Poster(
            b"http://loki/?key=k1", LOGIN, make_agent(self.clock, self.targets), self.clock, trouble
        )
        self.assertNotIn("k1", repr(poster))
        self.assertNotIn("dTpodW50ZXIy", repr(poster))
