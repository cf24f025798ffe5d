from __future__ import annotations

import errno
import json
import socket
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.board import Board
from procwrap.core.events import Notice, SignalReceived
from procwrap.sinks.podlabels import LOOK, PATIENCE, PodLabels
from procwrap.sinks.seedevents import SeedEvents
from procwrap.sinks.udp import LAST, MOST_WAITING, SLICE, UdpSink
from procwrap.sinks.udpline import UdpLine
from procwrap.spec.events import EventLabels, UdpEvents
from tests.support.asking import Questions

TERM = SignalReceived(15)
ADDRESS = ((socket.AF_INET, "10.0.0.1"),)


class UdpSinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.questions = Questions()
        self.taken: list[bytes] = []
        self.errors: list[int] = []
        self.board = Board(self.fail)
        self.notices: list[str] = []
        self.board.watch(self.note)

    def note(self, _: object, event: Any) -> None:
        if isinstance(event, Notice):
            self.notices.append(event.text)

    def send(self, data: bytes) -> None:
        """The socket."""
        if self.errors:
            raise OSError(self.errors.pop(0), "")
        self.taken.append(data)

    def getsockopt(self, *_: int) -> int:
        return 0

    def build(self, labels_file: str | None = None) -> UdpSink:
        """A sink that has just begun and watches the board."""
        target = UdpEvents("metrics", 9)

        def report(level: Any, text: str) -> None:
            self.board.tell(Notice(level, text))

        line = UdpLine(target, self.clock, self.questions.ask, report, lambda *_: self)  # type: ignore[arg-type,return-value]
        wanted = EventLabels((("pod", "p"),), labels_file)
        labels = PodLabels(wanted, self.clock, self.questions.ask, self.notices.append)
        sink = UdpSink(SeedEvents({}), labels, line, self.clock)
        self.board.watch(sink.watch)
        sink.begin()
        return sink

    def signals(self) -> int:
        """How many events were sent, all of them right."""
        expected = {"event_type": "termination", "pod": "p", "signal": "termination"}
        assert all(json.loads(data)["labels"] == expected for data in self.taken)
        return len(self.taken)

    def test_sent_at_once(self) -> None:
        """Once the server is known, nothing is queued."""
        sink = self.build()
        self.questions.answer(ADDRESS)
        self.board.tell(TERM)
        self.assertEqual(self.signals(), 1)
        self.assertEqual(sink.counts, {"sent": 1, "refused": 0, "dropped": 0})
        self.assertTrue(sink.flush().called)

    def test_events_wait_for_the_first_answer(self) -> None:
        """What happens before the name is resolved is sent afterwards, in order."""
        self.build()
        for number in (15, 2, 10):
            self.board.tell(SignalReceived(number))
        self.assertEqual(self.taken, [])
        self.questions.answer(ADDRESS)
        told = [json.loads(data)["labels"]["signal"] for data in self.taken]
        self.assertEqual(told, ["termination", "interrupt", "usr"])

    def test_only_so_many_wait(self) -> None:
        """The oldest are dropped and counted, and the rest is sent in slices."""
        sink = self.build()
        for _ in range(MOST_WAITING + 5):
            self.board.tell(TERM)
        self.questions.answer(ADDRESS)
        self.assertEqual((len(self.taken), sink.dropped), (SLICE, 5))
        self.clock.pump([0.0] * (MOST_WAITING // SLICE))
        self.assertEqual(self.signals(), MOST_WAITING)
        self.assertEqual(sink.counts, {"sent": MOST_WAITING, "refused": 0, "dropped": 5})

    def test_what_cannot_be_sent_is_lost(self) -> None:
        """A name that has no address keeps nothing in memory."""
        sink = self.build()
        self.board.tell(TERM)
        self.questions.answer(socket.gaierror(-2, "Name or service not known"))
        self.board.tell(TERM)
        self.assertEqual((self.taken, len(self.notices)), ([], 1))
        self.assertEqual(sink.counts, {"sent": 0, "refused": 2, "dropped": 0})
        self.assertTrue(sink.flush().called)

    def test_a_busy_kernel_is_asked_again(self) -> None:
        """Nothing is lost, and nothing is sent twice."""
        self.build()
        self.questions.answer(ADDRESS)
        self.errors = [errno.EAGAIN] * 3
        for _ in range(3):
            self.board.tell(TERM)
        self.clock.pump([0.02] * 4)
        self.assertEqual(self.signals(), 3)

    def test_trouble_sends_nothing_twice(self) -> None:
        """The notice about it is an event of the board, too, and comes back here."""
        self.build()
        self.questions.answer(ADDRESS)
        self.errors = [errno.ECONNREFUSED]
        self.board.tell(TERM)
        self.assertEqual((self.signals(), len(self.notices)), (1, 1))

    def test_the_end_waits_for_an_answer(self) -> None:
        """What waits is sent when the answer comes in time."""
        sink = self.build()
        self.board.tell(TERM)
        flushed = sink.flush()
        self.clock.advance(LAST / 2)
        self.assertFalse(flushed.called)
        self.questions.answer(ADDRESS)
        self.assertTrue(flushed.called)
        self.clock.advance(LAST)
        self.assertEqual(self.signals(), 1)

    def test_the_end_waits_half_a_second(self) -> None:
        """A name server that says nothing holds nobody up, and what waited is counted."""
        sink = self.build()
        self.board.tell(TERM)
        flushed = sink.flush()
        self.clock.advance(LAST)
        self.assertTrue(flushed.called)
        self.assertEqual(sink.counts["dropped"], 1)

    def test_events_wait_for_the_labels(self) -> None:
        """An event after a change has the new labels, unless reading them takes too long."""
        self.build("/labels")
        self.questions.open.reverse()
        self.questions.answer(ADDRESS)
        self.board.tell(TERM)
        self.assertEqual(self.taken, [])
        self.questions.answer(((1,), {"app": "new"}))
        self.assertEqual(json.loads(self.taken[0])["labels"]["app"], "new")
        self.clock.advance(LOOK)
        self.board.tell(TERM)
        self.assertEqual(len(self.taken), 1)
        self.clock.advance(PATIENCE)
        self.assertEqual(json.loads(self.taken[1])["labels"]["app"], "new")
