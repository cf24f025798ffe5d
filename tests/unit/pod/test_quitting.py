from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import Level
from procwrap.pod.ask import Request
from procwrap.pod.quitting import Quitter
from tests.support.asked import Asked


def request(number: int) -> Request:
    return Request("POST", f"http://u:hunter2@s{number}/quit", f"http://s{number}/quit")


class QuitterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked = Asked()
        self.sent = Quitter(self.asked, self.asked.report).send([request(number) for number in range(3)])

    def test_all_are_sent_at_once(self) -> None:
        """None waits for another; the end is when all are over."""
        self.assertEqual(len(self.asked.open), 3)
        for _ in range(2):
            self.asked.answer(204)
            self.assertNoResult(self.sent)
        self.asked.answer(302)
        self.successResultOf(self.sent)
        said = [
            (Level.INFO, f"POST http://s{number}/quit: {code}") for number, code in enumerate((204, 204, 302))
        ]
        self.assertEqual(self.asked.said, said)

    def test_failures_are_told(self) -> None:
        """Each by itself, without secrets."""
        self.asked.answer(500)
        self.asked.fail("connection refused")
        self.asked.fail(ValueError("hunter2"))
        self.successResultOf(self.sent)
        reasons = ("500, expected 200-399", "connection refused", "unexpected ValueError")
        self.assertEqual({level for level, _ in self.asked.said}, {Level.WARNING})
        self.assertEqual([text.rpartition("/quit: ")[2] for text in self.asked.texts], list(reasons))

    def test_no_time_left(self) -> None:
        """All that are under way are given up."""
        self.asked.answer(200)
        self.sent.cancel()
        self.successResultOf(self.sent)
        self.assertEqual(self.asked.cancelled, 2)
        self.assertEqual([text.endswith(": no time left") for text in self.asked.texts], [False, True, True])

    def test_nothing_to_send(self) -> None:
        """Is done at once."""
        self.successResultOf(Quitter(self.asked, self.asked.report).send([]))
