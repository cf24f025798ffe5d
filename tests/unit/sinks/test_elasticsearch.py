from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.board import Board
from procwrap.core.events import Level, Notice, SignalReceived
from procwrap.sinks.delivery import Delivery, Surroundings
from procwrap.sinks.elasticsearch import BOUNDS, MOST_HELD, ElasticsearchSink
from procwrap.sinks.elasticsearchbulk import Bulk, Kept
from procwrap.sinks.podlabels import PATIENCE, PodLabels
from procwrap.sinks.post import Answer
from procwrap.sinks.seedevents import SeedEvents
from procwrap.sinks.trouble import Trouble
from procwrap.spec.events import EventLabels
from tests.support.asking import Questions

TERM, USR = SignalReceived(15), SignalReceived(10)
GOOD = Answer(200, {}, b'{"errors":false}')


class ElasticsearchSinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.questions = Questions()
        self.documents: list[dict[str, Any]] = []
        self.answer: Answer | None = GOOD
        self.notices: list[str] = []
        self.board = Board(self.fail)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def post(self, body: bytes, _: object) -> Deferred[Answer]:
        """The server."""
        if self.answer is None:
            return Deferred()
        lines = [json.loads(line) for line in body.splitlines()]
        self.documents += [
            {**document, **action["create"]} for action, document in zip(lines[::2], lines[1::2], strict=True)
        ]
        return succeed(self.answer)

    def report(self, level: Level, text: str) -> None:
        self.notices.append(text)
        self.board.tell(Notice(level, text))

    def build(self, labels_file: str | None = None) -> ElasticsearchSink:
        """A sink that has just begun and watches the board."""
        wall = lambda: 1000.0 + self.clock.seconds()  # noqa: E731
        trouble = Trouble("events", "es", self.clock, self.report)
        world = Surroundings(self.clock, wall, lambda: 1.0, lambda work: succeed(work()), trouble)
        delivery: Delivery[Kept] = Delivery(Bulk("p-%Y", "run"), self.post, BOUNDS, world)
        wanted = EventLabels((("pod", "p"),), labels_file)
        labels = PodLabels(wanted, self.clock, self.questions.ask, self.notices.append)
        sink = ElasticsearchSink(SeedEvents({}), labels, delivery, wall)
        self.board.watch(sink.watch)
        sink.begin()
        return sink

    def test_a_batch_a_second(self) -> None:
        """What happens within it arrives together, with the time at which it happened, in order."""
        sink = self.build()
        for event in (USR, Notice(Level.INFO, "not told"), TERM):
            self.board.tell(event)
            self.clock.advance(0.25)
        self.assertEqual(self.documents, [])
        self.clock.advance(0.25)
        told = [(each["labels"]["signal"], each["@timestamp"], each["_id"]) for each in self.documents]
        self.assertEqual(
            told,
            [
                ("usr", "1970-01-01T00:16:40.000Z", "run-1"),
                ("termination", "1970-01-01T00:16:40.500Z", "run-2"),
            ],
        )
        self.assertEqual(sink.counts, {"sent": 2, "refused": 0, "dropped": 0})

    def test_the_bounds_of_the_reference(self) -> None:
        """The page names them."""
        page = (Path(__file__).parents[3] / "docs/reference/events.md").read_text("utf-8")
        self.assertIn(f"At most {BOUNDS.most_records:,} events wait", page)
        self.assertIn(
            f"in batches, {BOUNDS.batch_records} of them or what has come together in a second", page
        )
        self.assertEqual(BOUNDS.linger, 1.0)

    def test_a_full_batch(self) -> None:
        """Five hundred do not wait."""
        self.build()
        for _ in range(501):
            self.board.tell(TERM)
        self.assertEqual(len(self.documents), 500)
        self.clock.advance(1.0)
        self.assertEqual([each["sequence"] for each in self.documents], list(range(1, 502)))

    def test_the_queue_is_bounded(self) -> None:
        """The oldest are dropped and counted; all others arrive in order, each once."""
        sink = self.build()
        self.answer = Answer(503)
        for _ in range(10_500 + 5):
            self.board.tell(TERM)
        self.documents.clear()
        self.answer = GOOD
        self.clock.pump([1.0] * 40)
        dropped = sink.counts["dropped"]
        numbers = [each["sequence"] for each in self.documents]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual((len(numbers), sink.counts["sent"], dropped), (10_000, 10_000, 505))
        self.assertEqual(len(self.notices), 2)

    def test_the_end(self) -> None:
        """What there is is sent at once."""
        sink = self.build()
        self.board.tell(TERM)
        self.assertTrue(sink.flush().called)
        self.assertEqual(len(self.documents), 1)

    def test_the_end_without_a_server(self) -> None:
        """It is not waited for longer than two seconds, and what is lost is counted."""
        sink = self.build()
        self.answer = None
        self.board.tell(TERM)
        flushed = sink.flush()
        self.clock.advance(2.0)
        self.assertTrue(flushed.called)
        self.assertEqual(sink.counts, {"sent": 0, "refused": 0, "dropped": 1})

    def test_events_wait_for_the_labels(self) -> None:
        """An event after a change has the new labels, and one that has waited its own time."""
        sink = self.build("/labels")
        self.board.tell(TERM)
        self.clock.advance(PATIENCE / 2)
        self.questions.answer(((1,), {"app": "new"}))
        sink.flush()
        self.assertEqual(self.documents[0]["labels"]["app"], "new")
        self.assertEqual(self.documents[0]["@timestamp"], "1970-01-01T00:16:40.000Z")

    def test_the_end_waits_for_no_labels(self) -> None:
        """Then they are those that are known."""
        sink = self.build("/labels")
        self.board.tell(TERM)
        sink.flush()
        self.assertEqual(self.documents[0]["labels"]["pod"], "p")
        self.clock.advance(PATIENCE)

    def test_not_too_many_wait_for_the_labels(self) -> None:
        """However slow the file is."""
        self.build("/labels")
        for _ in range(MOST_HELD - 1):
            self.board.tell(TERM)
        self.assertEqual(self.documents, [])
        self.board.tell(TERM)
        self.assertEqual(len(self.documents), MOST_HELD)
        self.clock.advance(PATIENCE)
