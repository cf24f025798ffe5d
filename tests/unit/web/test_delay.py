from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.web.delay import PERIOD, Delay


class DelayTests(SynchronousTestCase):
    def test_it_counts_how_late_a_timer_is(self) -> None:
        """A reactor that is held up fires late, and by how much is what is counted."""
        clock = Clock()
        delay = Delay(clock)
        delay.begin()
        clock.advance(PERIOD)
        clock.advance(PERIOD + 0.3)
        clock.advance(PERIOD)
        self.assertEqual(delay.histogram.cumulative()[-1], 3)
        self.assertAlmostEqual(delay.histogram.total, 0.3)
        self.assertEqual(delay.histogram.cumulative()[0], 2)

    def test_it_sets_one_timer_at_a_time(self) -> None:
        """It costs two timers a second and never more."""
        clock = Clock()
        Delay(clock).begin()
        for _ in range(100):
            clock.advance(PERIOD)
            self.assertEqual(len(clock.getDelayedCalls()), 1)
