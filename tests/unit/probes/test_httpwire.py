from __future__ import annotations

import gzip
from typing import Any

from attrs import evolve
from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import ProbeResult
from procwrap.probes.http import Http, make_client
from procwrap.probes.httpwire import LINGER, MOST_BODY, MOST_BYTES
from procwrap.probes.look import look_at_all
from procwrap.spec.probe import HttpProbe
from tests.support.probes import ProbeReactor, context

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = OK + b"Content-Length: 2\r\n\r\nok"


class Wire(StringTransport):
    """The peer's end of one connection."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.peer = protocol
        self.lost = False
        self.aborted = False
        protocol.makeConnection(self)

    def abortConnection(self) -> None:
        """Close, and remember how."""
        self.aborted = True
        self.loseConnection()

    def say(self, data: bytes) -> None:
        """Bring data to the probe, in pieces as a socket does, while it listens."""
        for start in range(0, len(data), 65_536):
            if not (self.lost or self.disconnecting):
                self.peer.dataReceived(data[start : start + 65_536])

    def hang_up(self, why: Exception | None = None) -> None:
        """End the connection."""
        self.lost = True
        self.peer.connectionLost(Failure(why or error.ConnectionDone()))

    def obey(self) -> None:
        """Do what a kernel does when the probe has closed its end."""
        if self.disconnecting and not self.lost:
            self.hang_up()


class HttpWireTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = ProbeReactor()
        client = make_client(self.reactor)
        self.context = context(self.reactor, http=lambda: client)
        self.spec = HttpProbe("http://127.0.0.1:80/ready", timeout=2.0)

    def begin(self, **settings: Any) -> tuple[Deferred[tuple[ProbeResult, ...]], Wire]:
        """Begin a round of one probe and accept its connection."""
        round_ = look_at_all([Http(evolve(self.spec, **settings), self.context)], self.reactor)
        return round_, Wire(self.reactor.tcpClients[-1][2].buildProtocol(None))

    def reason(self, round_: Deferred[tuple[ProbeResult, ...]]) -> str:
        """The reason of a round that has ended, without URL and expectation; empty if it succeeded."""
        (result,) = self.successResultOf(round_)
        return result.reason.removeprefix("http://127.0.0.1:80/ready: ").removesuffix(", expected 200-399")

    def nothing_left(self, wire: Wire) -> None:
        """The connection is closed and no timer is left."""
        wire.obey()
        self.assertTrue(wire.lost)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_right_answer(self) -> None:
        """The request asks for one plain answer; when it is there the connection is closed."""
        round_, wire = self.begin()
        self.assertEqual(wire.value().split(b"\r\n")[0], b"GET /ready HTTP/1.1")
        self.assertIn(b"Connection: close\r\n", wire.value())
        self.assertNotIn(b"Accept-Encoding", wire.value())
        wire.say(SHORT)
        self.assertEqual(self.reason(round_), "")
        self.nothing_left(wire)

    def test_accept_encoding_of_ones_own(self) -> None:
        """A header of the config is sent as it is, this one too."""
        _, wire = self.begin(headers=(("Accept-Encoding", "br"),))
        self.assertEqual(wire.value().count(b"Accept-Encoding"), 1)
        self.assertIn(b"Accept-Encoding: br\r\n", wire.value())
        wire.say(SHORT)
        self.nothing_left(wire)

    def test_headers_are_enough(self) -> None:
        """The status decides as soon as the headers are complete, not when a body ends."""
        round_, wire = self.begin()
        wire.say(OK + b"Content-Length: 1000\r\n\r\n")
        self.assertEqual(self.reason(round_), "")
        wire.say(b"x" * 1000)
        self.nothing_left(wire)

    def test_long_body(self) -> None:
        """A body that is longer than anyone needs is not read to its end."""
        round_, wire = self.begin()
        wire.say(OK + b"\r\n" + b"x" * (MOST_BODY + 1))
        self.assertEqual(self.reason(round_), "")
        self.nothing_left(wire)

    def test_slow_body(self) -> None:
        """A body that trickles is left to itself after a moment."""
        round_, wire = self.begin()
        wire.say(OK + b"Content-Length: 1000\r\n\r\nx")
        self.assertEqual(self.reason(round_), "")
        self.reactor.advance(LINGER)
        self.nothing_left(wire)

    def test_peer_that_does_not_close(self) -> None:
        """A connection that does not close when told to is aborted."""
        _, wire = self.begin()
        wire.say(SHORT)
        self.assertTrue(wire.disconnecting)
        self.reactor.advance(LINGER)
        self.assertTrue(wire.aborted)
        self.nothing_left(wire)

    def test_body_that_breaks_off(self) -> None:
        """What happens to a body after good headers does not matter."""
        round_, wire = self.begin()
        wire.say(OK + b"Transfer-Encoding: chunked\r\n\r\nnot a chunk\r\n")
        wire.obey()
        self.assertEqual(self.reason(round_), "")
        self.nothing_left(wire)

    def test_compressed_bomb(self) -> None:
        """A compressed body is never unpacked."""
        round_, wire = self.begin()
        bomb = gzip.compress(b"\0" * 5_000_000)
        wire.say(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb)
        self.assertEqual(self.reason(round_), "")
        self.nothing_left(wire)

    def test_silent_peer(self) -> None:
        """A peer that accepts and says nothing has failed at the timeout, and the connection is aborted."""
        round_, wire = self.begin()
        self.reactor.advance(2.0)
        self.assertEqual(self.reason(round_), "no answer within 2s")
        self.assertTrue(wire.aborted)
        self.nothing_left(wire)

    def test_late_answer(self) -> None:
        """An answer after the timeout is not heard."""
        round_, wire = self.begin()
        self.reactor.advance(2.0)
        wire.peer.dataReceived(SHORT)
        self.assertEqual(self.reason(round_), "no answer within 2s")
        self.nothing_left(wire)

    def test_trickling_headers(self) -> None:
        """A byte now and then does not keep a probe alive."""
        round_, wire = self.begin()
        for byte in OK[:12]:
            wire.say(bytes([byte]))
            self.reactor.advance(0.2)
        self.assertEqual(self.reason(round_), "no answer within 2s")
        self.nothing_left(wire)

    def test_closed_without_an_answer(self) -> None:
        """A peer that hangs up at once is told from one that hangs up in the middle."""
        round_, wire = self.begin()
        wire.hang_up()
        self.assertEqual(self.reason(round_), "connection closed without an answer")
        self.nothing_left(wire)

    def test_closed_in_the_middle(self) -> None:
        """Half a header is no answer, however the connection ends."""
        for why in (error.ConnectionDone(), error.ConnectionLost()):
            round_, wire = self.begin()
            wire.say(OK + b"Content-Le")
            wire.hang_up(why)
            self.assertEqual(self.reason(round_), "connection closed within the answer")
            self.nothing_left(wire)

    def test_garbage(self) -> None:
        """An answer that is not HTTP says so, whatever it is."""
        garbage = [
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"HTTP/1.1 OK\r\n\r\n",
            b"\x15\x03\x03\x00\x02\x02\x46\n\n",
            OK + b"no colon\r\n\r\n",
            OK + b"Content-Length: many\r\n\r\n",
            OK + b"Transfer-Encoding: rot13\r\n\r\n",
        ]
        for answer in garbage:
            round_, wire = self.begin()
            wire.say(answer)
            self.assertEqual(self.reason(round_), "not an HTTP answer", answer)
            self.nothing_left(wire)

    def test_endless_line(self) -> None:
        """A status line without an end is not collected."""
        round_, wire = self.begin()
        wire.say(b"HTTP/1.1 " + b"2" * 1_000_000)
        wire.obey()
        self.assertIn(self.reason(round_), {"an endless answer", "connection closed within the answer"})
        self.nothing_left(wire)

    def test_endless_headers(self) -> None:
        """Headers without an end are not collected."""
        round_, wire = self.begin()
        wire.say(OK + b"X: y\r\n" * MOST_BYTES)
        wire.obey()
        self.assertEqual(self.reason(round_), "an endless answer")
        self.nothing_left(wire)

    def test_cookies_are_refused(self) -> None:
        """What a peer sets is not sent to the next, so that probes stay strangers."""
        _, wire = self.begin()
        wire.say(OK + b"Set-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n")
        wire.obey()
        _, again = self.begin()
        self.assertNotIn(b"Cookie", again.value())
        again.say(SHORT)
        self.nothing_left(again)

    def test_head(self) -> None:
        """An answer to HEAD has no body, whatever its Content-Length says."""
        round_, wire = self.begin(method="HEAD")
        wire.say(OK + b"Content-Length: 1000\r\n\r\n")
        self.assertEqual(self.reason(round_), "")
        self.nothing_left(wire)

    def test_post(self) -> None:
        """A request with another method has an empty body and says so."""
        round_, wire = self.begin(method="POST")
        self.assertIn(b"Content-Length: 0\r\n", wire.value())
        wire.say(SHORT)
        self.assertEqual(self.reason(round_), "")
        self.nothing_left(wire)

    def test_cancel_while_connecting(self) -> None:
        """A probe that is stopped before anybody accepted gives up the attempt."""
        round_ = look_at_all([Http(self.spec, self.context)], self.reactor)
        round_.cancel()
        self.failureResultOf(round_)
        self.assertTrue(self.reactor.connectors[-1].stoppedConnecting)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_cancel_within_the_answer(self) -> None:
        """A probe that is stopped while a peer answers aborts the connection."""
        round_, wire = self.begin()
        wire.say(OK)
        round_.cancel()
        self.failureResultOf(round_)
        self.assertTrue(wire.aborted)
        self.nothing_left(wire)

    def test_refused(self) -> None:
        """A refused connection is told in the same words as by tcp probes."""
        round_ = look_at_all([Http(self.spec, self.context)], self.reactor)
        factory, connector = self.reactor.tcpClients[-1][2], self.reactor.connectors[-1]
        factory.clientConnectionFailed(connector, Failure(error.ConnectionRefusedError(111, "x")))
        self.assertEqual(self.reason(round_), "connection refused")

    def test_ten_thousand_rounds(self) -> None:
        """Good, bad and ugly answers leave no timer, no connection and no log line behind."""
        answers = [SHORT, OK + b"\r\n" + b"x" * 20_000, b"garbage\r\n", OK + b"Content-Length: 9\r\n\r\n"]
        for _ in range(10_000 // len(answers)):
            for answer in answers:
                round_, wire = self.begin()
                wire.say(answer)
                wire.obey()
                self.reactor.advance(LINGER)
                wire.obey()
                self.successResultOf(round_)
            self.assertEqual(self.reactor.getDelayedCalls(), [])
            self.reactor.tcpClients.clear()
            self.reactor.connectors.clear()
        self.assertEqual(self.flushLoggedErrors(), [])
