from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.sampling import PERIOD
from procwrap.core.events import SignalReceived
from procwrap.core.roster import Roster
from procwrap.optional import begin_events, begin_sampling
from procwrap.spec.events import Elasticsearch
from procwrap.spec.plan import Plan, Settings
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

    def test_a_limit_that_comes_later(self) -> None:
        """A reload gives a process its first limit: the measuring begins then, and only once."""
        world = make_world(FREE)
        reactor: Any = world.clock
        look = begin_sampling(world.fleet, world.board, reactor, everybody=False)
        self.assertEqual(reactor.getDelayedCalls(), [])
        world.fleet.children["api"].spec = evolve(FREE, memory_limit=1)
        for _ in range(3):
            look()
        self.assertEqual(len(reactor.getDelayedCalls()), 1)


class EventsTests(SynchronousTestCase):
    def begin(self, settings: Settings) -> tuple[Any, list[Any], Any]:
        """Begin; return the world, what is to be flushed, and what counts."""
        world = make_world(FREE)
        flushed: list[Any] = []
        plan = Plan((FREE,))
        reactor: Any = world.clock
        return (
            world,
            flushed,
            begin_events(Roster(plan.processes), settings, world.board, reactor, lambda: 0.0, flushed.append),
        )

    def test_nobody_is_told(self) -> None:
        """Without a server there is nothing to flush, and nothing to count."""
        _, flushed, counts = self.begin(Settings())
        self.assertEqual((flushed, counts()), ([], {}))

    def test_what_becomes_of_events_is_counted(self) -> None:
        """By sink and result, from the beginning."""
        world, flushed, counts = self.begin(Settings(elasticsearch=Elasticsearch("http://127.0.0.1:9")))
        results = [("elasticsearch", result) for result in ("sent", "refused", "dropped")]
        before = len(world.clock.getDelayedCalls())
        world.board.tell(SignalReceived(15))
        self.assertEqual((len(flushed), counts()), (1, dict.fromkeys(results, 0)))
        self.assertEqual(len(world.clock.getDelayedCalls()), before + 1, "a batch waits to be full")
