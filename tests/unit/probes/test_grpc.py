from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.grpc import Grpc
from procwrap.probes.grpcframes import MOST_FRAMES
from procwrap.probes.grpcstream import LINGER
from procwrap.probes.look import look_at_all
from procwrap.spec.probe import GrpcProbe
from tests.support.h2peer import HEADERS, OK, SERVING, H2Peer
from tests.support.probes import ProbeReactor, context


class GrpcCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = ProbeReactor()
        self.probe = self.build()

    def build(self, service: str = "", host: str = "127.0.0.1") -> Grpc:
        environment = {"API_TOKEN": "t0ps3cret"}
        return Grpc(GrpcProbe(host, 50051, service), context(self.reactor, environment=environment))

    def accept(self, ours: int = 40_000) -> H2Peer:
        """Let the server accept the last connection; ours is the port it comes from."""
        self.transport = StringTransport(
            hostAddress=IPv4Address("TCP", "127.0.0.1", ours),
            peerAddress=IPv4Address("TCP", "127.0.0.1", 50051),
        )
        self.client: Any = self.reactor.tcpClients[-1][2].buildProtocol(None)
        self.client.makeConnection(self.transport)
        # What the endpoint has put around the protocol lets everything through.
        return H2Peer(self.client, self.transport)

    def lose(self) -> None:
        """End the connection from the other side."""
        self.client.connectionLost(Failure(error.ConnectionDone()))

    def asked(self, service: str = "") -> tuple[Deferred[None], H2Peer]:
        """Begin a round with a server that has accepted it."""
        checked = self.build(service).check()
        return checked, self.accept()

    def reason(self, checked: Deferred[None]) -> str:
        failed: ProbeError = self.failureResultOf(checked, ProbeError).value
        return failed.reason

    def seen(self, checked: Deferred[None]) -> str:
        """What was seen; the connection is gone at once."""
        reason = self.reason(checked)
        self.assertTrue(self.transport.disconnected)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        start, end = "grpc 127.0.0.1:50051: ", ", expected SERVING"
        self.assertEqual((reason[: len(start)], reason[-len(end) :]), (start, end))
        return reason[len(start) : -len(end)]


class AnswerTests(GrpcCase):
    def test_provides_iprobe(self) -> None:
        """It is a probe like any other."""
        verifyObject(IProbe, self.probe)
        self.assertEqual((self.probe.kind, self.probe.timeout), ("grpc", 2.0))

    def test_request(self) -> None:
        """It asks as gRPC clients do, and tells the server how long it waits."""
        _, server = self.asked("shop.Orders")
        self.assertEqual(
            server.headers,
            {
                ":method": "POST",
                ":scheme": "http",
                ":path": "/grpc.health.v1.Health/Check",
                ":authority": "127.0.0.1:50051",
                "te": "trailers",
                "grpc-timeout": "2000000u",
                "content-type": "application/grpc",
                "user-agent": "procwrap",
            },
        )
        self.assertEqual(server.body, b"\0\0\0\0\x0d\x0a\x0bshop.Orders")

    def test_serving(self) -> None:
        """SERVING is success, and the connection is closed politely."""
        checked, server = self.asked()
        server.answer()
        self.assertIsNone(self.successResultOf(checked))
        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.transport.disconnected)
        self.lose()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_serving_in_pieces(self) -> None:
        """Frames and messages may be cut anywhere, and settings, pings and windows come between."""
        checked, server = self.asked()
        server.settle()
        self.assertEqual(server.pings_answered, 1)
        server.h2.send_headers(1, HEADERS)
        for octet in SERVING:
            server.h2.send_data(1, bytes([octet]), pad_length=3)
        server.h2.send_headers(1, OK, end_stream=True)
        server.flush(piece=1)
        self.successResultOf(checked)

    def test_a_peer_that_does_not_part(self) -> None:
        """A connection that does not close after the answer is aborted."""
        checked, server = self.asked()
        server.answer()
        self.successResultOf(checked)
        self.reactor.advance(LINGER)
        self.assertTrue(self.transport.disconnected)
        self.lose()

    def test_not_serving(self) -> None:
        """Another status is named."""
        checked, server = self.asked()
        server.answer(b"\0\0\0\0\2\x08\2")
        self.assertEqual(self.reason(checked), "grpc 127.0.0.1:50051: NOT_SERVING, expected SERVING")

    def test_service_in_the_line(self) -> None:
        """The line names the service that was asked for."""
        checked, server = self.asked("shop.Orders")
        server.refuse([*HEADERS, ("grpc-status", "5")])
        self.assertEqual(
            self.reason(checked),
            'grpc 127.0.0.1:50051 shop.Orders: the server knows no health of "shop.Orders" (NOT_FOUND),'
            " expected SERVING",
        )

    def test_no_health_service(self) -> None:
        """A server without the health service is told from one that is not healthy."""
        checked, server = self.asked()
        server.refuse([*HEADERS, ("grpc-status", "12"), ("grpc-message", "Method not found!")])
        self.assertIn("does not implement grpc.health.v1.Health (register", self.reason(checked))

    def test_message_of_a_failed_call(self) -> None:
        """What the server says is decoded, on one line and without what the environment keeps secret."""
        checked, server = self.asked()
        message = "no%0Adb%20at%20pg%3A//u%3Ahunter2@h%20with%20t0ps3cret"
        server.refuse([*HEADERS, ("grpc-status", "14"), ("grpc-message", message)])
        said = "grpc 127.0.0.1:50051: UNAVAILABLE: no db at pg://***@h with ***, expected SERVING"
        self.assertEqual(self.reason(checked), said)

    def test_addresses(self) -> None:
        """IPv6 stands in brackets, also for the server."""
        probe = self.build(host="::1")
        self.assertEqual(probe.target, "grpc [::1]:50051")
        probe.check()
        self.assertEqual(self.accept().headers[":authority"], "[::1]:50051")


class FailureTests(GrpcCase):
    def test_refused(self) -> None:
        """Nobody listens."""
        checked = self.probe.check()
        factory, connector = self.reactor.tcpClients[-1][2], self.reactor.connectors[-1]
        factory.clientConnectionFailed(connector, Failure(error.ConnectionRefusedError(111, "x")))
        self.assertEqual(self.reason(checked), "grpc 127.0.0.1:50051: connection refused, expected SERVING")

    def test_connected_to_itself(self) -> None:
        """A connection that the kernel made from a port to itself is nobody listening."""
        checked = self.probe.check()
        self.accept(ours=50051)
        self.assertEqual(self.seen(checked), "nobody listens")

    def test_silent(self) -> None:
        """A server that never answers has failed at the timeout, and the connection is aborted."""
        round_ = look_at_all([self.probe], self.reactor)
        self.accept()
        self.reactor.advance(2.0)
        [result] = self.successResultOf(round_)
        self.assertEqual(result.reason, "grpc 127.0.0.1:50051: no answer within 2s, expected SERVING")
        self.assertTrue(self.transport.disconnected)
        self.lose()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_silent_within_the_answer(self) -> None:
        """So has one that stops after its headers; what it sends later is not looked at."""
        round_ = look_at_all([self.probe], self.reactor)
        server = self.accept()
        server.h2.send_headers(1, HEADERS)
        server.flush()
        self.reactor.advance(2.0)
        self.assertIn("no answer within 2s", self.successResultOf(round_)[0].reason)
        server.h2.send_data(1, SERVING)
        server.flush()
        self.lose()

    def test_cancelled_while_connecting(self) -> None:
        """Nothing goes on connecting after a round was given up."""
        checked = self.probe.check()
        checked.addErrback(lambda _: None)
        checked.cancel()
        self.assertTrue(self.reactor.connectors[-1].stoppedConnecting)

    def test_closed(self) -> None:
        """A connection that ends says how far it came."""
        checked, server = self.asked()
        self.lose()
        self.assertEqual(self.seen(checked), "connection closed without an answer")
        checked, server = self.asked()
        server.h2.send_headers(1, HEADERS)
        server.flush()
        self.lose()
        self.assertEqual(self.seen(checked), "connection closed within the answer")

    def test_others(self) -> None:
        """Servers of other protocols are named as far as they can be."""
        for data, said in (
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server speaks HTTP/1, not HTTP/2"),
            (
                b"\x15\x03\x01\x00\x02\x02\x46",
                "the server speaks TLS; the probe is plaintext HTTP/2, as the kubelet's",
            ),
            (b"\0" * 100_000, "an endless answer"),
            (b"\xff" * 100, "not an HTTP/2 server"),
        ):
            checked = self.build().check()
            self.accept()
            self.client.dataReceived(data)
            self.assertEqual(self.seen(checked), said)

    def test_web_server(self) -> None:
        """A server of HTTP/2 that is none of gRPC is known by its headers; its body is not waited for."""
        checked, server = self.asked()
        server.h2.send_headers(1, [(":status", "404"), ("content-type", "text/html")])
        server.flush()
        self.assertEqual(self.seen(checked), "HTTP status 404 instead of a gRPC answer")
        checked, server = self.asked()
        server.refuse([(":status", "200"), ("content-type", "text/html")])
        self.assertEqual(self.seen(checked), "no gRPC server (its content-type is text/html)")

    def test_reset(self) -> None:
        """A server may reset the request, for a reason that has a name or has none."""
        checked, server = self.asked()
        server.h2.reset_stream(1, 7)
        server.flush()
        self.assertEqual(self.seen(checked), "the server reset the request (REFUSED_STREAM)")
        checked, server = self.asked()
        server.h2.reset_stream(1, 4711)
        server.flush()
        self.assertEqual(self.seen(checked), "the server reset the request (error 4711)")

    def test_going_away(self) -> None:
        """A server that goes away without an answer has failed at once, one that answers first has not."""
        checked, server = self.asked()
        self.client.dataReceived(server.h2.data_to_send() + goaway(last=0, code=11))
        self.assertEqual(self.seen(checked), "the server is going away (ENHANCE_YOUR_CALM)")
        checked, server = self.asked()
        self.client.dataReceived(server.h2.data_to_send() + goaway(last=2**31 - 1, code=0))
        self.assertNoResult(checked)
        server.answer()
        self.successResultOf(checked)
        self.lose()
        checked, server = self.asked()
        self.client.dataReceived(server.h2.data_to_send() + goaway(last=1, code=0))
        self.lose()
        self.assertEqual(self.seen(checked), "the server is going away")

    def test_endless_answers(self) -> None:
        """A server that never stops sending is left, whatever it sends."""
        checked, server = self.asked()
        server.h2.send_headers(1, HEADERS)
        server.flush()
        for _ in range(5):
            if not self.transport.disconnected:
                server.h2.send_data(1, b"x" * 16_000)
                server.flush()
                server.listen()
        self.assertEqual(self.seen(checked), "an endless answer")
        checked, server = self.asked()
        for _ in range(MOST_FRAMES):
            server.h2.ping(b"12345678")
        server.flush()
        self.assertEqual(self.seen(checked), "an endless answer")

    def test_broken_headers(self) -> None:
        """What is no HPACK, or no header that HTTP/2 allows, is a failed probe and no traceback."""
        for payload in (b"\xff\xff\xff\xff\xff\xff", b"\x40\x01A\x01b", b"\x88" * 600):
            checked, server = self.asked()
            head = len(payload).to_bytes(3, "big") + b"\1\4\0\0\0\1"
            self.client.dataReceived(server.h2.data_to_send() + head + payload)
            self.assertIn("broken HTTP/2 (", self.seen(checked))

    def test_a_header_bomb(self) -> None:
        """A few bytes that stand for megabytes of headers are refused."""
        checked, server = self.asked()
        payload = b"\x88\x40\x01a\x7f\x81\x1e" + b"x" * 4_000 + b"\xbe" * 10_000
        head = len(payload).to_bytes(3, "big") + b"\1\4\0\0\0\1"
        self.client.dataReceived(server.h2.data_to_send() + head + payload)
        self.assertIn("broken HTTP/2 (", self.seen(checked))

    def test_a_name_that_is_too_long(self) -> None:
        """A request that HTTP/2 cannot take at once is not sent."""
        checked = self.build("x" * 100_000).check()
        transport = StringTransport()
        self.reactor.tcpClients[-1][2].buildProtocol(None).makeConnection(transport)
        self.assertIn("…: it cannot be asked (", self.reason(checked))
        self.assertTrue(transport.disconnected)

    def test_any_bytes(self) -> None:
        """Whatever comes, the round ends when the connection does, and nothing is raised."""
        self.fuzz()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    @settings(max_examples=200, deadline=None)
    @given(st.booleans(), st.lists(st.binary(max_size=60), max_size=6))
    def fuzz(self, polite: bool, pieces: list[bytes]) -> None:
        checked, server = self.asked()
        if polite:
            server.flush()
        for piece in pieces:
            self.client.dataReceived(piece)
        self.lose()
        self.failureResultOf(checked, ProbeError)

    def test_a_thousand_rounds(self) -> None:
        """Served, refused, hung up and silent: rounds leave no timers and no log lines behind."""
        for number in range(1_000):
            round_ = look_at_all([self.probe], self.reactor)
            server = self.accept()
            if number % 4 == 0:
                server.answer()
            elif number % 4 == 1:
                server.refuse([*HEADERS, ("grpc-status", "14")])
            elif number % 4 == 2:
                self.client.dataReceived(b"HTTP/1.1")
            else:
                self.reactor.advance(2.0)
            self.lose()
            [result] = self.successResultOf(round_)
            self.assertEqual(result.succeeded, number % 4 == 0)
            self.reactor.tcpClients.clear()
            self.reactor.connectors.clear()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])


def goaway(last: int, code: int) -> bytes:
    """A GOAWAY frame, whose sender may go on answering."""
    return b"\0\0\x08\7\0\0\0\0\0" + last.to_bytes(4, "big") + code.to_bytes(4, "big")
