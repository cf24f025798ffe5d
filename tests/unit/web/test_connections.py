"""What all clients together can do to us."""

from __future__ import annotations

from resource import RLIMIT_NOFILE, getrlimit

from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from procwrap.web.channel import Channel
from procwrap.web.limits import Limits
from procwrap.web.site import make_site
from tests.support.web import Host, Wire, connect

LIVENESS = b"GET /liveness HTTP/1.1\r\nHost: x\r\n\r\n"
PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"


class CrowdTests(SynchronousTestCase):
    """A house for three, in which three sit and say nothing."""

    def setUp(self) -> None:
        self.host = Host()
        self.host.all_up()
        self.site = self.host.site(connections=3, crowd=2)
        self.silent = [connect(self.site) for _ in range(3)]

    def lose(self, channel: Channel) -> None:
        channel.connectionLost(Failure(ConnectionDone()))

    def ask(self, request: bytes) -> Wire:
        channel, wire = connect(self.site)
        channel.dataReceived(request)
        return wire

    def test_health_is_answered_all_the_same(self) -> None:
        """Silent connections do not make us look dead: /liveness and /readiness are answered, once each."""
        for request in (LIVENESS, LIVENESS.replace(b"live", b"readi"), LIVENESS.replace(b"GET", b"HEAD")):
            wire = self.ask(request)
            self.assertEqual(wire.codes, [200])
            self.assertIn(b"Connection: close\r\n", wire.value())
            self.assertTrue(wire.disconnecting)

    def test_everything_else_is_503(self) -> None:
        """All other requests beyond the limit are 503, waiting ones too, and the connection is closed."""
        for request in (PING, LIVENESS.replace(b" HTTP", b"?wait HTTP"), LIVENESS.replace(b"GET", b"POST")):
            wire = self.ask(request)
            self.assertEqual(wire.codes[0] // 100, 4 if b"POST" in request else 5)
            self.assertTrue(wire.half_closed or wire.disconnecting)

    def test_silence_beyond_the_limit(self) -> None:
        """A connection beyond the limit that says nothing gets its 503 after a second."""
        channel, wire = connect(self.site)
        self.host.clock.advance(0.9)
        self.assertEqual(wire.codes, [])
        self.host.clock.advance(0.2)
        self.assertEqual((wire.codes, wire.half_closed), ([503], True))
        self.host.clock.advance(1)
        self.assertTrue(wire.closed)
        self.lose(channel)

    def test_a_flood(self) -> None:
        """When even the crowd is too large, the one that was silent for longest goes at once."""
        wires = [connect(self.site)[1] for _ in range(50)]
        self.assertEqual([wire.disconnecting for wire in wires], [True] * 48 + [False] * 2)
        self.assertEqual({tuple(wire.codes) for wire in wires[:48]}, {(503,)})
        self.assertEqual(len(self.site._crowd), 2)
        self.assertEqual(self.ask(LIVENESS).codes, [200])

    def test_room_again(self) -> None:
        """When one leaves, the next is served as usual."""
        self.lose(self.silent[0][0])
        wire = self.ask(PING)
        self.assertEqual((wire.codes, wire.closed), ([200], False))

    def test_nobody_is_counted_twice(self) -> None:
        """Ten thousand that come and go leave the house as it was."""
        for number in range(10_000):
            channel, _ = connect(self.site)
            if number % 3 == 0:
                channel.dataReceived(PING)
            self.lose(channel)
        self.assertEqual((len(self.site._served), len(self.site._crowd)), (3, 0))

    def test_the_end(self) -> None:
        """When nobody listens any more, all connections are closed."""
        _, late = connect(self.site)
        self.site.doStart()
        self.site.doStop()
        for _, wire in (*self.silent, (None, late)):
            self.assertTrue(wire.disconnecting)

    def test_the_last_one_to_leave(self) -> None:
        """When procwrap ends, it can be waited for that all are gone, for as long as one likes."""
        gone, given_up = self.site.drained(), self.site.drained()
        given_up.cancel()
        self.failureResultOf(given_up, CancelledError)
        for channel, _ in self.silent:
            self.assertNoResult(gone)
            self.lose(channel)
        self.assertIsNone(self.successResultOf(gone))
        self.assertIsNone(self.successResultOf(self.site.drained()))


class LimitsTests(SynchronousTestCase):
    def test_few_descriptors(self) -> None:
        """Clients get at most half of the files that procwrap may open; the processes need the others."""
        self.assertEqual(Limits().within(1024).connections, 412)
        self.assertEqual(Limits().within(1_048_576).connections, 1000)
        self.assertEqual(Limits().within(20).connections, 1)
        self.assertEqual(Limits().within(-1).connections, 1000)

    def test_usual_limits(self) -> None:
        """Without a word about limits, those of this process's own file descriptors hold."""
        site = make_site(Host().view)
        self.assertEqual(site._limits, Limits().within(getrlimit(RLIMIT_NOFILE)[0]))

    def test_tls_clients_get_http_1(self) -> None:
        """HTTP/2 is not offered: the limits are those of HTTP/1.1."""
        self.assertEqual(Host().site().acceptableProtocols(), [b"http/1.1"])
