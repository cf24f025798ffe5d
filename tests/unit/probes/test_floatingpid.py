from __future__ import annotations

from collections import deque

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.floatingpid import FloatingPid
from procwrap.spec.probe import FloatingPidProbe
from tests.support.probes import context


class FloatingPidTests(SynchronousTestCase):
    def probe(self, *starts: float, threshold: int = 1) -> FloatingPid:
        """A probe at second 100 of a process that was started at these times."""
        clock = Clock()
        clock.advance(100.0)
        return FloatingPid(FloatingPidProbe(10.0, threshold), context(clock, starts=deque(starts, maxlen=64)))

    def succeeds(self, probe: FloatingPid) -> None:
        self.assertIsNone(self.successResultOf(probe.check()))

    def fails(self, probe: FloatingPid) -> str:
        failed: ProbeError = self.failureResultOf(probe.check(), ProbeError).value
        return failed.reason

    def test_provides_iprobe(self) -> None:
        """It is a probe like any other, and needs no timeout."""
        verifyObject(IProbe, self.probe())
        self.assertEqual((self.probe().kind, self.probe().timeout), ("floatingPid", None))

    def test_seldom_started(self) -> None:
        """Not started, started once, and restarted once in the period are all well."""
        self.succeeds(self.probe())
        self.succeeds(self.probe(99.0))
        self.succeeds(self.probe(98.0, 99.0))

    def test_started_again_and_again(self) -> None:
        """More restarts than the threshold within the period fail, with their number."""
        self.assertEqual(
            self.fails(self.probe(97.0, 98.0, 99.0)),
            "floatingPid: 2 starts in the last 10s, expected at most 1",
        )

    def test_old_starts(self) -> None:
        """Starts before the period are forgiven, one at its very edge too."""
        self.succeeds(self.probe(10.0, 20.0, 30.0, 90.0, 99.0))

    def test_threshold(self) -> None:
        """The threshold is how many are still well; 0 allows none after the first."""
        self.succeeds(self.probe(95.0, 96.0, 97.0, 98.0, threshold=3))
        self.fails(self.probe(95.0, 96.0, 97.0, 98.0, threshold=2))
        self.fails(self.probe(95.0, 96.0, threshold=0))
