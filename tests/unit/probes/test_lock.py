from __future__ import annotations

from attrs import evolve
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.errors import ProbeError
from procwrap.probes.lock import Lock
from procwrap.spec.probe import LockProbe
from tests.support.probes import context


class LockTests(SynchronousTestCase):
    def test_it_looks_whether_the_lock_is_held(self) -> None:
        """Nobody is asked for that: whoever keeps the lock knows."""
        held = [True]
        around = evolve(context(MemoryReactorClock()), lock_held=lambda: held[0])
        probe = Lock(LockProbe(3.0), around)
        self.assertIsNone(self.successResultOf(probe.check()))
        held[0] = False
        error = self.failureResultOf(probe.check(), ProbeError)
        self.assertEqual(str(error.value), "lock: not held, expected to hold it")
        self.assertEqual((probe.kind, probe.timeout), ("lock", 1.0))
