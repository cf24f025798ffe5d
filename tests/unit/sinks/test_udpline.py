from __future__ import annotations

import errno
import socket
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import Level
from procwrap.sinks.udpline import CALM, RETRY, UdpLine, known, look_up
from procwrap.spec.events import UdpEvents
from tests.support.asking import Questions

FIRST, SECOND = (socket.AF_INET, "10.0.0.1"), (socket.AF_INET, "10.0.0.2")
REFUSED = "Connection refused"


class Way:
    """A connected socket whose kernel says what the test wants."""

    def __init__(self, address: Any) -> None:
        self.address = address
        self.taken: list[bytes] = []
        self.pending: list[int] = []
        self.unreachable = False
        self.closed = False

    def send(self, data: bytes) -> int:
        if self.pending:
            raise OSError(self.pending.pop(0), "")
        self.taken.append(data)
        if self.unreachable:
            self.pending.append(errno.ECONNREFUSED)
        return len(data)

    def getsockopt(self, level: int, option: int) -> int:
        return self.pending.pop(0) if self.pending else 0

    def close(self) -> None:
        self.closed = True


class UdpLineTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.questions = Questions()
        self.said: list[tuple[Level, str]] = []
        self.ways: list[Way] = []
        self.refuses_sockets = False
        self.line = self.make("metrics")

    def make(self, host: str) -> UdpLine:
        """A line to a host."""
        target = UdpEvents(host, 9999)
        return UdpLine(
            target, self.clock, self.questions.ask, lambda *said: self.said.append(said), self.opened
        )

    def opened(self, address: Any, port: int) -> Any:
        if self.refuses_sockets:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        self.ways.append(Way(address))
        return self.ways[-1]

    def found(self, *addresses: Any) -> Way:
        """The line when its server has been found."""
        self.line.prepare()
        self.questions.answer(addresses or (FIRST,))
        return self.ways[-1]

    def test_found_and_sent(self) -> None:
        """The address is asked for once, and the datagram is what the kernel gets."""
        way = self.found()
        self.assertTrue(self.line.send(b"a"))
        self.line.prepare()
        self.assertEqual((way.address, way.taken), (FIRST, [b"a"]))
        self.assertEqual((self.line.sent, self.line.lost, self.questions.open, self.said), (1, 0, [], []))

    def test_waits_only_for_the_first_address(self) -> None:
        """Later questions hold nothing up."""
        self.line.prepare()
        self.assertTrue(self.line.waits)
        self.questions.answer((FIRST,))
        self.assertFalse(self.line.waits)

    def test_an_address_needs_no_question(self) -> None:
        """Nor does localhost (RFC 6761)."""
        for host in ("10.0.0.1", "::1", "fe80::1%lo", "localhost"):
            self.make(host).prepare()
        self.assertEqual(
            [way.address[1] for way in self.ways], ["10.0.0.1", "::1", "fe80::1%lo", "127.0.0.1"]
        )
        self.assertEqual(self.questions.open, [])

    def test_a_server_that_is_missing_is_said_once(self) -> None:
        """However many datagrams are refused, and whether there is a next one or not."""
        way = self.found()
        way.unreachable = True
        for _ in range(100):
            self.line.send(b"x")
        self.clock.advance(CALM)
        (said,) = self.said
        text = "cannot send events to metrics:9999: Connection refused; they are lost until it is there"
        self.assertEqual(said, (Level.WARNING, text))
        self.assertEqual(self.line.lost, 100)

    def test_a_single_refused_one_is_noticed(self) -> None:
        """A second after it was sent; after that no timer is left."""
        self.found().unreachable = True
        self.line.send(b"x")
        self.assertEqual(self.said, [])
        self.clock.advance(CALM)
        self.assertEqual(len(self.said), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_server_that_is_back(self) -> None:
        """The first event after that arrives, and one line says how many were lost."""
        way = self.found()
        way.unreachable = True
        self.line.send(b"lost")
        self.line.send(b"lost too")
        way.unreachable = False
        self.line.send(b"arrives")
        self.clock.pump([CALM, CALM])
        self.assertEqual(way.taken, [b"lost", b"lost too", b"arrives"])
        self.assertEqual(self.said[1:], [(Level.INFO, "events reach metrics:9999 again; 2 were lost")])
        self.assertEqual((self.line.sent, self.line.lost), (3, 2))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_asked_again_when_sending_fails(self) -> None:
        """The server may have another address by now; each of several is tried in turn."""
        way = self.found(FIRST, SECOND)
        way.unreachable = True
        self.clock.advance(RETRY)
        self.line.send(b"1")
        self.line.send(b"2")
        self.questions.answer((FIRST, SECOND))
        self.line.send(b"3")
        self.assertEqual((self.ways[-1].address, self.ways[-1].taken), (SECOND, [b"3"]))
        self.assertTrue(way.closed)

    def test_not_asked_in_a_storm(self) -> None:
        """At most once in five seconds, and one question at a time."""
        way = self.found()
        way.unreachable = True
        for _ in range(1000):
            self.line.send(b"x")
        self.assertEqual(self.questions.open, [])
        self.clock.advance(RETRY)
        for _ in range(1000):
            self.line.send(b"x")
        self.assertEqual(len(self.questions.open), 1)
        self.clock.advance(RETRY * 10)
        self.line.send(b"x")
        self.assertEqual(len(self.questions.open), 1)

    def test_a_name_without_address(self) -> None:
        """One warning; what is to be sent is lost, and with something to send it is asked again."""
        self.line.prepare()
        self.questions.answer(socket.gaierror(-2, "Name or service not known"))
        for _ in range(3):
            self.line.prepare()
            self.line.send(b"x")
        self.assertEqual((self.line.lost, len(self.said), self.questions.open), (3, 1, []))
        self.assertIn("metrics:9999: Name or service not known", self.said[0][1])
        self.clock.advance(RETRY)
        way = self.found()
        self.line.send(b"y")
        self.clock.advance(CALM)
        self.assertEqual(way.taken, [b"y"])
        self.assertEqual(self.said[1][1], "events reach metrics:9999 again; 3 were lost")

    def test_a_failing_question_keeps_the_old_address(self) -> None:
        """A name server that is down is no reason to stop sending."""
        way = self.found()
        way.unreachable = True
        self.clock.advance(RETRY)
        self.line.send(b"1")
        self.line.send(b"2")
        self.questions.answer(socket.gaierror(-3, "Temporary failure in name resolution"))
        way.unreachable = False
        way.pending.clear()
        self.line.send(b"3")
        self.assertEqual(way.taken[-1], b"3")

    def test_a_busy_kernel(self) -> None:
        """What it has no room for is offered again and is no trouble."""
        way = self.found()
        way.pending = [errno.EAGAIN, errno.ENOBUFS]
        self.assertEqual([self.line.send(b"x") for _ in range(3)], [False, False, True])
        self.assertEqual((self.line.sent, self.line.lost, self.said), (1, 0, []))

    def test_no_route(self) -> None:
        """A network that is down at the beginning is a warning, and tried again."""
        self.refuses_sockets = True
        self.line.prepare()
        self.questions.answer((FIRST,))
        self.line.send(b"x")
        self.assertIn("Network is unreachable", self.said[0][1])
        self.refuses_sockets = False
        self.clock.advance(RETRY)
        self.assertEqual(self.found().taken, [])

    def test_no_thread(self) -> None:
        """When no thread can be started, that is as good as no answer."""

        def ask(*_: object) -> Any:
            raise RuntimeError("can't start new thread")

        line = UdpLine(UdpEvents("metrics", 9), self.clock, ask, lambda *said: self.said.append(said))
        line.prepare()
        self.assertFalse(line.waits)
        self.assertIn("can't start new thread", self.said[0][1])

    def test_look_up(self) -> None:
        """The system's resolver says which addresses a name has."""
        self.assertIn("127.0.0.1", [address for _, address in look_up("127.0.0.1")])
        self.assertEqual(known("metrics.example"), ())
