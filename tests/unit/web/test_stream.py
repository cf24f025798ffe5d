"""A long body over one connection."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from procwrap.web.answers import OK, Reply
from procwrap.web.limits import Limits
from procwrap.web.site import make_site
from tests.support.web import Host, SlowWire

PIECES = [b"%d" % number * 10 for number in range(10)]
ASKED = b"GET /prommerge HTTP/1.1\r\nHost: x\r\n\r\n"


class StreamTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.host = Host()
        view = evolve(self.host.view, prommerge=lambda _: Reply(OK, content_type=b"x/y", pieces=PIECES))
        self.site: Any = make_site(view, Limits())
        self.channel = self.site.buildProtocol(None)
        self.wire = SlowWire()
        self.channel.makeConnection(self.wire)
        self.addCleanup(self.leave)

    def leave(self) -> None:
        """Lose the connection; nothing may be left of it."""
        if self.wire.producer is not None:
            self.channel.stopProducing()
        self.channel.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.host.clock.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_all_of_it(self) -> None:
        """With its length, and the connection is good for another request."""
        for _ in range(2):
            self.wire.clear()
            self.channel.dataReceived(ASKED)
            head, _, body = self.wire.value().partition(b"\r\n\r\n")
            self.assertIn(b"Content-Length: 100\r\n", head + b"\r\n")
            self.assertEqual(body, b"".join(PIECES))

    def test_head(self) -> None:
        """The length without the body."""
        self.channel.dataReceived(ASKED.replace(b"GET", b"HEAD"))
        head, _, body = self.wire.value().partition(b"\r\n\r\n")
        self.assertIn(b"Content-Length: 100\r\n", head + b"\r\n")
        self.assertEqual(body, b"")

    def test_a_slow_client(self) -> None:
        """What it has not read yet is not written, a piece at a time at most."""
        self.wire.most = 5
        self.channel.dataReceived(ASKED)
        read = self.wire.value().partition(b"\r\n\r\n")[2]
        self.assertEqual(read, PIECES[0])
        while len(read) < 100:
            self.wire.read()
            self.assertEqual(len(self.wire.value()), 10)
            read += self.wire.value()
            self.host.clock.advance(0.5)
        self.assertEqual(read, b"".join(PIECES))
        self.wire.read()
        self.assertFalse(self.wire.closed)

    def test_a_client_that_is_too_slow(self) -> None:
        """It has ten seconds for all of it, however often it reads a little."""
        self.wire.most = 5
        self.channel.dataReceived(ASKED)
        for _ in range(5):
            self.host.clock.advance(1.9)
            self.wire.read()
        self.assertFalse(self.wire.aborted)
        self.host.clock.advance(0.6)
        self.assertTrue(self.wire.aborted)

    def test_a_client_that_leaves(self) -> None:
        """In the middle; nothing more is written, and nothing is left."""
        self.wire.most = 5
        self.channel.dataReceived(ASKED)
        self.wire.read()
        self.leave()
        self.assertEqual(len(self.wire.value()), 10)
