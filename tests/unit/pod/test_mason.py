from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import End, Ended, Event, Spawned, StateChanged
from procwrap.core.lifecycle import State
from procwrap.core.snapshot import Snapshot
from procwrap.pod.mason import PATIENCE, Mason
from procwrap.pod.tombstone import Tombstone


class MasonTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.carved: list[Tombstone] = []
        self.strokes: list[Deferred[None]] = []
        self.warnings: list[str] = []
        self.mason = Mason("web", self.carve, self.clock, lambda: 0.0, self.warnings.append)

    def carve(self, stone: Tombstone) -> Deferred[None]:
        self.carved.append(stone)
        self.strokes.append(Deferred())
        return self.strokes[-1]

    def tell(self, *events: Event, done: bool = True) -> None:
        for event in events:
            self.mason.watch(Snapshot(), event)
            self.clock.advance(0)
            if done and self.strokes and not self.strokes[-1].called:
                self.strokes[-1].callback(None)

    def spawned(self, at: float, name: str = "web") -> Event:
        return Spawned(name, 7, at, at)

    def ended(self, at: float, code: int) -> Event:
        return Ended("web", 7, End(code=code), 1.0, at, at, code == 0)

    def state(self, state: State, at: float) -> Event:
        return StateChanged("web", state, at, at)

    def test_one_life(self) -> None:
        """Born when it is executed, died when it is over for good, with the code it left with."""
        self.tell(self.spawned(1.0), self.ended(2.0, 3), self.state(State.EXITED, 2.5))
        self.assertEqual(self.carved, [Tombstone(1.0), Tombstone(1.0, 2.5, 3)])

    def test_a_restart_is_no_death(self) -> None:
        """Only the last end counts, and the first birth."""
        for at in (1.0, 3.0):
            self.tell(self.spawned(at), self.ended(at + 1, 1), self.state(State.BACKOFF, at + 1))
        self.tell(self.state(State.FAILED, 5.0))
        self.assertEqual(self.carved, [Tombstone(1.0), Tombstone(1.0, 5.0, 1)])

    def test_a_restart_by_order_is_none_either(self) -> None:
        """It is stopped for one moment; but at the end of everything no moment is left."""
        self.tell(self.spawned(1.0))
        for at in (2.0, 3.0):
            self.mason.watch(Snapshot(), self.state(State.STOPPED, at))
            self.mason.watch(Snapshot(), self.state(State.WAITING, at))
        self.clock.advance(0)
        self.assertEqual(self.carved, [Tombstone(1.0)])
        self.mason.watch(Snapshot(), self.state(State.STOPPED, 4.0))
        self.mason.finish()
        self.assertEqual(self.carved[-1], Tombstone(1.0, 4.0, 0))
        self.clock.advance(0)
        self.assertEqual(len(self.carved), 2)

    def test_a_new_life(self) -> None:
        """Started again after its death, it is born anew."""
        self.tell(self.spawned(1.0), self.state(State.STOPPED, 2.0), self.spawned(3.0))
        self.assertEqual(self.carved[-1], Tombstone(3.0))

    def test_what_never_began_is_dead_all_the_same(self) -> None:
        """Who depends on it does not wait for ever."""
        self.tell(self.state(State.SKIPPED, 2.0))
        self.assertEqual(self.carved, [Tombstone(None, 2.0, 0)])

    def test_others_are_not_its_business(self) -> None:
        """Each has its own."""
        self.tell(self.spawned(1.0, "api"))
        self.assertEqual(self.carved, [])

    def test_a_slow_disk_gets_one_at_a_time(self) -> None:
        """And what stands there in the end is the last, of many only that."""
        self.tell(self.spawned(1.0), done=False)
        self.tell(
            self.state(State.STOPPED, 2.0), self.spawned(3.0), self.state(State.STOPPED, 4.0), done=False
        )
        self.assertEqual(len(self.carved), 1)
        self.strokes[0].callback(None)
        self.assertEqual(self.carved[1:], [Tombstone(3.0, 4.0, 0)])

    def test_the_end_waits_for_the_last_stroke(self) -> None:
        """Others learn of the death before we are gone; where nothing is under way nobody waits."""
        self.assertTrue(self.mason.finish().called)
        self.tell(self.spawned(1.0), self.state(State.STOPPED, 2.0), done=False)
        finished = self.mason.finish()
        self.strokes[0].callback(None)
        self.assertFalse(finished.called)
        self.strokes[1].callback(None)
        self.assertTrue(finished.called)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_dead_disk_keeps_nobody_up(self) -> None:
        """After two seconds the end goes on, with a word; a late stroke changes nothing."""
        self.tell(self.spawned(1.0), done=False)
        finished = self.mason.finish()
        self.clock.advance(PATIENCE)
        self.assertTrue(finished.called)
        self.assertIn("could not be written within 2s", self.warnings[0])
        self.strokes[0].callback(None)

    def test_what_cannot_be_written_is_told(self) -> None:
        """And the next one is tried."""
        self.tell(self.spawned(1.0), done=False)
        self.strokes[0].errback(OSError(28, "No space left on device"))
        self.assertEqual(
            self.warnings,
            ["cannot write the tombstone of web: No space left on device; others will not see its end"],
        )
        self.tell(self.state(State.STOPPED, 2.0))
        self.assertEqual(len(self.carved), 2)
