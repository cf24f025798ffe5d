from __future__ import annotations

from itertools import pairwise

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import Level
from procwrap.pod.ask import Request
from procwrap.pod.envoy import LONGEST, Awaited, Drain
from tests.support.asked import Asked

DRAIN = Request("POST", "http://u:hunter2@localhost/drain", "http://localhost/drain")
INFO = Request("GET", "http://localhost/server_info", "http://localhost/server_info")


class DrainTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked = Asked()
        self.drain = Drain(DRAIN, self.asked, self.asked.report)

    def test_once(self) -> None:
        """While it is under way, and when it was done, nobody asks again."""
        self.successResultOf(self.drain.wait())
        self.drain.begin()
        self.drain.begin()
        waits = self.drain.wait()
        self.assertNoResult(waits)
        self.asked.answer(200)
        self.successResultOf(waits)
        self.drain.begin()
        self.assertEqual((len(self.asked.heard), self.drain.drained), (1, True))
        self.assertEqual(self.asked.said, [(Level.INFO, "Envoy drains its listeners")])

    def test_a_failure_keeps_nothing_up(self) -> None:
        """It is one warning without secrets, and may be tried again."""
        for answer in (lambda: self.asked.fail("connection refused"), lambda: self.asked.answer(404)):
            self.drain.begin()
            answer()
            self.successResultOf(self.drain.wait())
        self.drain.begin()
        self.asked.fail(ValueError("hunter2"))
        self.assertEqual(
            self.asked.said,
            [
                (Level.WARNING, f"cannot drain Envoy: http://localhost/drain: {reason}")
                for reason in ("connection refused", "404, expected 200", "unexpected ValueError")
            ],
        )

    def test_no_time_left(self) -> None:
        """Giving up is no failure: nothing is said."""
        self.drain.begin()
        waits = self.drain.wait()
        waits.cancel()
        self.successResultOf(waits)
        self.assertEqual((self.asked.cancelled, self.asked.said), (1, []))


class AwaitedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked, self.clock = Asked(), Clock()
        self.news: list[str] = []
        self.awaited = Awaited(
            INFO, self.asked, self.clock, lambda: self.news.append("LIVE"), self.news.append
        )
        self.awaited.begin()

    def test_live(self) -> None:
        """Nothing else is; then nobody asks any more."""
        self.asked.answer(200, b'{"state": "LIVE", "version": "x"}')
        self.assertEqual((self.news, self.clock.getDelayedCalls()), (["LIVE"], []))

    def test_why_not(self) -> None:
        """Each reason is news once, on one line, however often it is seen."""
        seen = [
            (200, b'{"state": "PRE_INITIALIZING"}', "it is PRE_INITIALIZING"),
            (200, b'{"state": "live\\n"}', "it is live"),
            (200, b'{"state": ["LIVE"]}', "it is ['LIVE']"),
            (503, b"", "503, expected 200"),
            (200, b"<html>", "expected JSON with a state, got something else"),
            (200, b"[" * 100_000, "expected JSON with a state, got something else"),
            (200, b'["LIVE"]', "expected JSON with a state, got something else"),
        ]
        for status, body, _ in seen:
            for _ in range(2):
                self.asked.answer(status, body)
                self.clock.advance(LONGEST)
        reasons = list(dict.fromkeys(reason for _, _, reason in seen))
        self.assertEqual(self.news, [f"Envoy is not LIVE: {INFO.shown}: {reason}" for reason in reasons])

    def test_it_asks_more_and_more_rarely(self) -> None:
        """From 100 ms to 1 s."""
        asked_at = []
        for _ in range(12):
            asked_at.append(self.clock.seconds())
            self.asked.fail()
            self.clock.advance(self.clock.getDelayedCalls()[0].getTime() - self.clock.seconds())
        pauses = [later - earlier for earlier, later in pairwise(asked_at)]
        self.assertAlmostEqual(pauses[0], 0.1)
        self.assertEqual(pauses, sorted(pauses))
        self.assertAlmostEqual(pauses[-1], 1.0)
        self.assertEqual(len(self.news), 1)

    def test_stopped(self) -> None:
        """A late answer means nothing."""
        self.awaited.stop()
        self.asked.answer(200, b'{"state": "LIVE"}')
        self.assertEqual((self.news, self.clock.getDelayedCalls()), ([], []))

    def test_stopped_between_two_looks(self) -> None:
        """No further one begins."""
        self.asked.fail()
        self.awaited.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
