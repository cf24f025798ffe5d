from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.heartbeat import HeartBeat
from procwrap.spec.probe import HeartBeatProbe
from tests.support.probes import context


class HeartBeatTests(SynchronousTestCase):
    def probe(self, beat: float | None, start: float | None) -> HeartBeat:
        """A probe at second 100 that wants a heartbeat every 10 seconds."""
        clock = Clock()
        clock.advance(100.0)
        return HeartBeat(HeartBeatProbe(10.0), context(clock, last_heartbeat=beat, started_at=start))

    def succeeds(self, beat: float | None, start: float | None) -> None:
        self.assertIsNone(self.successResultOf(self.probe(beat, start).check()))

    def fails(self, beat: float | None, start: float | None) -> str:
        failed: ProbeError = self.failureResultOf(self.probe(beat, start).check(), ProbeError).value
        return failed.reason

    def test_provides_iprobe(self) -> None:
        """It is a probe like any other, and needs no timeout."""
        verifyObject(IProbe, self.probe(None, None))
        self.assertEqual((self.probe(None, None).kind, self.probe(None, None).timeout), ("heartBeat", None))

    def test_recent(self) -> None:
        """A heartbeat within the period is well, also exactly a period ago."""
        self.succeeds(95.0, 1.0)
        self.succeeds(90.0, 1.0)

    def test_silence(self) -> None:
        """A longer silence fails and says how long it is."""
        self.assertEqual(self.fails(87.5, 1.0), "heartBeat: none for 12.5s, expected one every 10s")

    def test_time_after_the_start(self) -> None:
        """A process has a period from its start for its first heartbeat, and no more."""
        self.succeeds(None, 95.0)
        self.assertIn("none for 15s", self.fails(None, 85.0))

    def test_heartbeat_of_an_earlier_run(self) -> None:
        """What an earlier run said neither helps nor harms the one that has just started."""
        self.succeeds(20.0, 95.0)
        self.assertIn("none for 11s", self.fails(20.0, 89.0))

    def test_nothing_known(self) -> None:
        """Without a start and without a heartbeat it fails."""
        self.assertEqual(self.fails(None, None), "heartBeat: none yet, expected one every 10s")
