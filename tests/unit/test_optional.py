from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.sampling import PERIOD
from procwrap.optional import begin_sampling
from procwrap.spec.process import ProcessSpec
from tests.support.children import make_world

FREE = ProcessSpec("api", "/bin/api")
LIMITED = evolve(FREE, name="db", memory_limit=1)


class SamplingTests(SynchronousTestCase):
    def timers(self, *specs: ProcessSpec, everybody: bool) -> int:
        """Return how many timers it sets."""
        world = make_world(*specs)
        reactor: Any = world.clock
        before = len(reactor.getDelayedCalls())
        begin_sampling(world.fleet, world.board, reactor, everybody=everybody)
        added = reactor.getDelayedCalls()[before:]
        self.assertEqual([call.getTime() for call in added], [PERIOD] * len(added))
        return len(added)

    def test_nobody_is_measured_for_nothing(self) -> None:
        """Without a limit, and where nobody can ask, it costs nothing."""
        self.assertEqual(self.timers(FREE, everybody=False), 0)

    def test_limits_and_whoever_may_ask(self) -> None:
        """One process with a limit, or HTTP, is enough; one timer does it for all."""
        self.assertEqual(self.timers(FREE, LIMITED, everybody=False), 1)
        self.assertEqual(self.timers(FREE, LIMITED, everybody=True), 1)
