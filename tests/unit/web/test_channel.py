"""What one client can do to us, byte by byte."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.lifecycle import State
from procwrap.web.answers import SECURITY_HEADERS
from procwrap.web.channel import Channel
from tests.support.web import Host, Wire, connect

PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
WAIT = b"GET /readiness?wait HTTP/1.1\r\nHost: x\r\n\r\n"
LEFT = Failure(ConnectionDone())


class ChannelTests(SynchronousTestCase):
    """A connection to a host; at the end of each test it is lost, and nothing may be left of it."""

    def setUp(self) -> None:
        self.host = Host()
        self.host.declare()
        self.site = self.host.site()
        self.channel, self.wire = connect(self.site)
        self.addCleanup(self.check_nothing_is_left)

    def check_nothing_is_left(self) -> None:
        self.channel.connectionLost(LEFT)
        self.assertEqual(self.host.clock.getDelayedCalls(), [])
        self.assertEqual(self.host.watchers, 0)
        self.assertEqual((self.site._served, self.site._crowd), (set(), {}))
        self.assertEqual(self.flushLoggedErrors(), [])

    def send(self, data: bytes) -> list[int]:
        """Send bytes; return the codes of all answers so far."""
        self.channel.dataReceived(data)
        return self.wire.codes

    def pass_time(self, seconds: float) -> None:
        self.host.clock.advance(seconds)


class DeadlineTests(ChannelTests):
    def test_silence(self) -> None:
        """A client that says nothing is dropped after 10 s."""
        self.pass_time(9.9)
        self.assertFalse(self.wire.closed)
        self.pass_time(0.2)
        self.assertTrue(self.wire.closed)

    def test_a_byte_now_and_then(self) -> None:
        """A byte every 5 s buys no time: the request must be there in whole after 10 s."""
        for byte in (b"G", b"E"):
            self.send(byte)
            self.pass_time(4.9)
        self.assertFalse(self.wire.closed)
        self.pass_time(0.3)
        self.assertTrue(self.wire.closed)

    def test_a_slow_body(self) -> None:
        """A body that comes byte by byte is no better than a slow head."""
        self.send(b"PATCH /heartbeat?name=api HTTP/1.1\r\nContent-Length: 60000\r\n\r\n")
        for _ in range(11):
            self.send(b"x")
            self.pass_time(0.95)
        self.assertTrue(self.wire.closed)

    def test_a_kept_connection(self) -> None:
        """A connection is kept for 10 s after each answer."""
        for count in range(1, 4):
            self.assertEqual(self.send(PING), [200] * count)
            self.pass_time(9.9)
        self.assertFalse(self.wire.closed)
        self.pass_time(0.2)
        self.assertTrue(self.wire.closed)

    def test_a_later_request_has_its_own_time(self) -> None:
        """On a kept connection the 10 s run from the first byte of the request, and just from the first."""
        self.send(PING)
        self.pass_time(9)
        for byte in (b"G", b"E"):
            self.send(byte)
            self.pass_time(4.9)
        self.assertFalse(self.wire.closed)
        self.pass_time(0.3)
        self.assertTrue(self.wire.closed)

    def test_one_that_does_not_close(self) -> None:
        """When a dropped client leaves what we sent unread, the connection is aborted."""
        self.pass_time(10.1)
        self.assertFalse(self.wire.aborted)
        self.pass_time(1)
        self.assertTrue(self.wire.aborted)

    def test_an_answer_is_not_cut_off(self) -> None:
        """``?wait`` is answered after an hour too."""
        self.send(WAIT)
        self.pass_time(3600)
        self.assertFalse(self.wire.closed)
        self.host.all_up()
        self.assertEqual(self.wire.codes, [200])
        self.assertEqual(self.send(PING), [200, 200])


class ReadingTests(ChannelTests):
    def test_one_that_does_not_read(self) -> None:
        """A client that leaves its answers unread until our buffer is full is dropped after 10 s."""
        self.send(PING)
        self.wire.producer.pauseProducing()
        self.pass_time(9.9)
        self.assertFalse(self.wire.aborted)
        self.pass_time(0.2)
        self.assertTrue(self.wire.aborted)

    def test_one_that_reads_slowly(self) -> None:
        """A client that reads everything within 10 s is served on."""
        for count in range(1, 5):
            self.wire.producer.pauseProducing()
            self.pass_time(9)
            self.wire.producer.resumeProducing()
            self.assertEqual(self.send(PING), [200] * count)
        self.assertFalse(self.wire.closed)

    def test_one_that_reads_late(self) -> None:
        """The time to read runs from the moment in which our buffer is full, not from the last request."""
        self.send(PING)
        self.pass_time(9)
        self.wire.producer.pauseProducing()
        self.pass_time(9)
        self.assertFalse(self.wire.closed)
        self.wire.producer.resumeProducing()
        self.assertEqual(self.send(PING), [200, 200])
        self.wire.producer.pauseProducing()
        self.pass_time(10.1)
        self.assertTrue(self.wire.aborted)

    def test_closing_waits_no_longer_than_that(self) -> None:
        """The answer to ``Connection: close`` has to be read within 10 s too."""
        self.send(PING.replace(b"Host: x", b"Connection: close"))
        self.assertTrue(self.wire.disconnecting)
        self.pass_time(9.9)
        self.assertFalse(self.wire.aborted)
        self.pass_time(0.2)
        self.assertTrue(self.wire.aborted)

    def test_unread_answers_do_not_pile_up(self) -> None:
        """While a client does not read, none of the requests it has sent ahead is answered."""
        self.send(PING * 50)
        self.wire.producer.pauseProducing()
        self.pass_time(1)
        self.assertEqual(len(self.wire.codes), 1)
        self.wire.producer.resumeProducing()
        for _ in range(60):
            self.pass_time(0)
        self.assertEqual(self.wire.codes, [200] * 50)


class PipelineTests(ChannelTests):
    def test_one_answer_a_turn(self) -> None:
        """Of many requests in one go, the first is answered; the others have to wait for the next turns."""
        self.assertEqual(self.send(PING + b"GET /nope HTTP/1.1\r\n\r\n" + PING), [200])
        self.assertEqual(self.wire.producerState, "paused")
        self.pass_time(0)
        self.assertEqual(self.wire.codes, [200, 404, 200])
        self.assertEqual(self.wire.producerState, "producing")

    def test_behind_one_that_waits(self) -> None:
        """Requests behind ``?wait`` are answered after it, in order."""
        self.assertEqual(self.send(WAIT + PING), [])
        self.send(b"GET /nope HTTP/1.1\r\n\r\n")
        self.host.all_up()
        self.assertEqual(self.wire.codes, [200])
        self.pass_time(0)
        self.assertEqual(self.wire.codes, [200, 200, 404])

    def test_behind_one_with_a_body(self) -> None:
        """What follows a body is the next request."""
        beat = b"PATCH /heartbeat?name=api HTTP/1.1\r\n"
        self.send(beat + b"Content-Length: 4\r\n\r\nbody" + PING)
        self.pass_time(0)
        self.send(beat + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n" + PING)
        self.pass_time(0)
        self.assertEqual(self.wire.codes, [202, 200, 202, 200])

    def test_cut_anywhere(self) -> None:
        """Where the network cuts the bytes makes no difference."""
        requests = PING + b"PATCH /heartbeat?name=api HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody" + PING
        for cut in range(len(requests)):
            channel, wire = connect(self.site)
            channel.dataReceived(requests[:cut])
            channel.dataReceived(requests[cut:])
            for _ in range(3):
                self.pass_time(0)
            self.assertEqual(wire.codes, [200, 202, 200], cut)
            channel.connectionLost(LEFT)

    def test_too_much_ahead(self) -> None:
        """A client that goes on sending while it waits is dropped: else its leaving would go unnoticed."""
        self.send(WAIT)
        self.send(PING * 100)
        self.assertFalse(self.wire.aborted)
        self.send(PING * 600)
        self.assertTrue(self.wire.aborted)

    def test_too_much_ahead_in_one_go(self) -> None:
        """The same when all of it comes at once."""
        self.send(WAIT + PING * 700)
        self.assertTrue(self.wire.aborted)

    def test_nothing_after_close(self) -> None:
        """After ``Connection: close`` nothing more is answered."""
        self.send(PING.replace(b"Host: x", b"Connection: close") + PING * 3)
        self.pass_time(0)
        self.assertEqual(self.wire.codes, [200])

    def test_leaving_with_requests_unanswered(self) -> None:
        """A client may leave while its requests wait for their turn."""
        self.send(PING * 10)
        self.channel.connectionLost(LEFT)
        self.pass_time(0)
        self.assertEqual(self.wire.codes, [200])
        self.channel, self.wire = connect(self.site)


class StarTests(ChannelTests):
    def test_no_path_at_all(self) -> None:
        """``*`` is answered as any path that is not there: in JSON, and with the headers of all."""
        for method in (b"OPTIONS", b"GET"):
            self.wire.clear()
            self.send(method + b" * HTTP/1.1\r\nHost: x\r\n\r\n")
            head, _, body = self.wire.value().partition(b"\r\n\r\n")
            self.assertEqual((self.wire.codes, body), ([404], b'{"error": "no such path"}\n'))
            for name, value in SECURITY_HEADERS:
                self.assertIn(name + b": " + value + b"\r\n", head + b"\r\n")
            self.assertNotIn(b"Server:", head)


class RefusalTests(ChannelTests):
    def assert_refused(self, code: int) -> None:
        """It was told why, cannot send anything any more, and is gone soon."""
        self.assertEqual(self.wire.codes, [code])
        head, _, body = self.wire.value().partition(b"\r\n\r\n")
        self.assertRegex(body, rb'^\{"error": "[a-z -]+"\}\n$')
        for name, value in (*SECURITY_HEADERS, (b"Connection", b"close")):
            self.assertIn(name + b": " + value + b"\r\n", head + b"\r\n")
        self.assertTrue(self.wire.half_closed)
        self.send(PING * 10)
        self.send(b"x" * 100_000)
        self.pass_time(1.1)
        self.assertTrue(self.wire.closed)
        self.assertEqual(self.wire.codes, [code])

    def test_a_long_request_line(self) -> None:
        """A target over 16 KiB is 414."""
        self.send(b"GET /" + b"a" * 16_400 + b" HTTP/1.1\r\n")
        self.assert_refused(414)

    def test_a_line_without_end(self) -> None:
        """A line that never ends is 414 once it is too long."""
        for _ in range(20):
            self.send(b"a" * 1000)
        self.assert_refused(414)

    def test_a_long_header(self) -> None:
        """One long header is 431."""
        self.send(b"GET /ping HTTP/1.1\r\nX: " + b"a" * 16_400)
        self.assert_refused(431)

    def test_many_headers(self) -> None:
        """Many short headers over 16 KiB together are 431."""
        self.send(b"GET /ping HTTP/1.1\r\n" + b"X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 400)
        self.assert_refused(431)

    def test_too_many_headers(self) -> None:
        """More than 500 headers are 400."""
        self.send(b"GET /ping HTTP/1.1\r\n" + b"X: a\r\n" * 502)
        self.assert_refused(400)

    def test_a_long_body(self) -> None:
        """A body that says it is over 64 KiB is 413 at once."""
        self.send(b"PATCH /heartbeat?name=api HTTP/1.1\r\nContent-Length: 65537\r\n\r\n")
        self.assert_refused(413)

    def test_a_long_chunked_body(self) -> None:
        """A body that does not say so is 413 when it has become too long, and beats nothing."""
        self.send(b"PATCH /heartbeat?name=api HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(70):
            self.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
        self.send(b"0\r\n\r\n")
        self.assert_refused(413)
        self.assertIsNone(self.host.heartbeats.last("api"))

    def test_a_long_chunked_body_in_one_go(self) -> None:
        """The same when its end comes along with it."""
        chunk = b"11170\r\n" + b"x" * 70_000 + b"\r\n0\r\n\r\n"
        self.send(b"PATCH /heartbeat?name=api HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk)
        self.assert_refused(413)
        self.assertIsNone(self.host.heartbeats.last("api"))

    def test_bodies_that_just_fit(self) -> None:
        """64 KiB are taken, told beforehand or chunked."""
        beat, body = b"PATCH /heartbeat?name=api HTTP/1.1\r\n", b"x" * 65_536
        self.send(beat + b"Content-Length: 65536\r\n\r\n" + body)
        self.send(beat + b"Transfer-Encoding: chunked\r\n\r\n10000\r\n" + body + b"\r\n0\r\n\r\n")
        self.assertEqual(self.wire.codes, [202, 202])

    def test_a_head_that_just_fits(self) -> None:
        """A head a little under 16 KiB is taken, again and again."""
        for count in range(1, 4):
            self.send(b"GET /ping HTTP/1.1\r\nX: " + b"a" * 16_000 + b"\r\n\r\n")
            self.assertEqual(self.wire.codes, [200] * count)

    def test_no_http(self) -> None:
        """What is not HTTP is 400."""
        self.channel.connectionLost(LEFT)
        for garbage in (
            b"\x16\x03\x01\x02\x00\x01\x00\r\n", b"GET\r\n", b"GET /ping\r\n", b"GET /ping HTTP/2.0\r\n",
            b"GET  /ping HTTP/1.1\r\n", b"G\xffT /ping HTTP/1.1\r\n", b"GET /a b HTTP/1.1\r\n",
            b"GET /ping HTTP/1.1\r\nno colon\r\n\r\n", b"GET /ping HTTP/1.1\r\nX Y: 1\r\n\r\n",
            b"GET /ping HTTP/1.1\r\nno colon\r\nX: 1\r\nContent-Length: 3\r\n\r\nabc",
            b"GET /ping HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"GET /ping HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"GET /ping HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"GET /ping HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"GET /ping HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"GET /ping HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcdefgh\r\n",
        ):  # fmt: skip
            self.channel, self.wire = connect(self.site)
            self.send(garbage)
            self.assert_refused(400)
            self.channel.connectionLost(LEFT)
        self.channel, self.wire = connect(self.site)


class LeavingTests(ChannelTests):
    def test_ten_thousand_that_wait_and_leave(self) -> None:
        """Clients that leave while they wait leave nothing behind, however many there were."""
        for number in range(10_000):
            channel, wire = connect(self.site)
            channel.dataReceived(WAIT if number % 2 else WAIT.replace(b"wait", b"wait=30s"))
            self.assertEqual(wire.value(), b"")
            channel.connectionLost(LEFT)
        self.assertEqual(self.host.watchers, 0)
        self.assertEqual(len(self.host.clock.getDelayedCalls()), 1)  # of the connection that is still there
        self.host.all_up()

    def test_leaving_in_the_middle_of_anything(self) -> None:
        """A connection may end after every byte."""
        for request in (PING, WAIT, b"PATCH /heartbeat?name=api HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"):
            for length in range(len(request) + 1):
                channel, _ = connect(self.site)
                channel.dataReceived(request[:length])
                channel.connectionLost(LEFT)
        self.host.becomes("api", State.RUNNING)


TARGETS = st.sampled_from(
    [b"/ping", b"/readiness", b"/readiness?wait", b"/pidof?name=api", b"*", b"/%ff", b"//"]
)
METHODS = st.sampled_from([b"GET", b"HEAD", b"PATCH", b"POST", b"OPTIONS", b"BREW"])
HEADERS = st.sampled_from(
    [b"", b"Host: x\r\n", b"Host: \xff[\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n",
     b"Connection: close\r\n", b"Expect: 100-continue\r\n", b" folded\r\n", b":\r\n", b"Accept: \xff\x00\r\n",
     b"Content-Type: multipart/form-data; boundary=x\r\n", b"Cookie: =;a\r\n"]
)  # fmt: skip
REQUESTS = st.builds(
    lambda method, target, headers, body: (
        method + b" " + target + b" HTTP/1.1\r\n" + b"".join(headers) + b"\r\n" + body
    ),
    METHODS,
    TARGETS,
    st.lists(HEADERS, max_size=4),
    st.sampled_from([b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"\r\n"]),
)
# Not st.binary(): Hypothesis would compare its bytes with numbers, which python -bb forbids.
RAW = st.text(st.characters(max_codepoint=255), max_size=60).map(lambda text: text.encode("latin-1"))
BYTES = st.one_of(RAW, REQUESTS, st.sampled_from([b"\r\n", b"\r\n\r\n", b"\n", b"\x00"]))


class GarbageTests(SynchronousTestCase):
    @settings(max_examples=400, deadline=None)
    @given(st.lists(BYTES, max_size=8))
    def test_whatever_comes(self, pieces: list[bytes]) -> None:
        """No bytes, in no order, make us raise, log an error, or leave something behind."""
        host = Host()
        host.declare()
        channel, wire = connect(host.site())
        for piece in pieces:
            if not wire.closed:
                channel.dataReceived(piece)
                host.clock.advance(0)
        host.all_up()
        host.clock.advance(0)
        self.assertLessEqual(len(channel._rest), 1000)
        self.finish(host, channel, wire)

    def finish(self, host: Host, channel: Channel, wire: Wire) -> None:
        self.assertNotIn(500, wire.codes)
        channel.connectionLost(LEFT)
        self.assertEqual((host.clock.getDelayedCalls(), host.watchers), ([], 0))
        self.assertEqual(self.flushLoggedErrors(), [])
