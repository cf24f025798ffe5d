"""Figures about procwrap's own work."""

from __future__ import annotations

import os
from typing import Any

from attrs import define
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.inside import Stats
from procwrap.web.delay import PERIOD, Delay
from tests.support.web import Host, connect


@define
class Outputs:
    """Outputs in which something waits, and from which something was lost."""

    def waiting(self) -> int:
        """Bytes."""
        return 7

    def dropped(self) -> dict[str, int]:
        """Records."""
        return {"stdout": 3}


class StatsTests(SynchronousTestCase):
    """A host that has run for a minute."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.delay = Delay(self.clock)
        outputs: Any = Outputs()
        self.stats = Stats(self.clock, outputs, self.delay, lambda: {("udp", "sent"): 2}, 0.0)
        self.clock.advance(60)

    def test_what_we_use(self) -> None:
        """Memory, CPU time and descriptors are those of this process, now."""
        found = self.stats.take()
        self.assertEqual((found["pid"], found["uptime"]), (os.getpid(), 60.0))
        self.assertGreater(found["memoryBytes"], 1_000_000)
        self.assertGreater(found["openFiles"], 2)
        self.assertGreater(found["cpuSeconds"], 0)
        self.assertEqual(found["log"], {"queuedBytes": 7, "droppedRecords": {"stdout": 3}})
        self.assertEqual(found["events"], {"udp sent": 2})

    def test_how_late_we_are(self) -> None:
        """Nothing before it was measured; then the last time, the mean, and what most did not exceed."""
        self.assertEqual(self.stats.take()["reactorDelay"], {"last": None, "mean": None, "p99": None})
        self.delay.begin()
        for late in (0.0, 0.04, 0.002):
            self.clock.advance(PERIOD + late)
        found = self.stats.take()["reactorDelay"]
        self.assertAlmostEqual(found["last"], 0.002)
        self.assertAlmostEqual(found["mean"], 0.014)
        self.assertEqual(found["p99"], 0.05)
        self.clock.advance(PERIOD + 3600)
        self.assertIsNone(self.stats.take()["reactorDelay"]["p99"])

    def test_connections(self) -> None:
        """Those of each site, beyond its limit too."""
        site = self.stats.count("http", Host().site(connections=2, crowd=5))
        self.assertEqual(self.stats.take()["connections"], {"http": 0})
        for _ in range(4):
            connect(site)
        self.assertEqual(self.stats.take()["connections"], {"http": 4})
