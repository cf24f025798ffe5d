"""Those who wait for a lock."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.lock.lease import Granted, Refused, StoreError
from procwrap.lock.queue import LOOK_AGAIN, Queue
from tests.support.leases import World, wanted


class QueueTests(SynchronousTestCase):
    """In order, in time, and without leaving anything behind."""

    def setUp(self) -> None:
        """Begin with a lock that somebody holds."""
        self.world = World()
        self.queue = Queue(self.world.store, self.world.clock)
        held = self.successResultOf(self.queue.ask(wanted(value="pod-0", ttl=9)))
        assert isinstance(held, Granted)
        self.held = held

    def wait(self, name: str = "pod-1", seconds: float = 5.0) -> Deferred[Granted | Refused]:
        """Ask, and wait."""
        return self.queue.ask(wanted(value=name, wait=seconds))

    def give_back(self, lease: int) -> None:
        """Release a lease, and let whoever waits hear of it."""
        self.world.store.release(lease)
        self.world.clock.advance(0)

    def test_first_come_first_served(self) -> None:
        """Each gets the lock when the one before has given it back."""
        asked = [self.wait(f"pod-{number}") for number in range(3)]
        self.give_back(self.held.lease)
        for number, each in enumerate(asked):
            granted = self.successResultOf(each)
            assert isinstance(granted, Granted)
            for later in asked[number + 1 :]:
                self.assertNoResult(later)
            self.give_back(granted.lease)
        assert len(self.queue) == 0

    def test_patience_has_an_end(self) -> None:
        """Who has waited long enough hears who holds it, and leaves no timer."""
        asked = self.wait(seconds=0.5)
        self.world.clock.advance(0.5)
        assert self.successResultOf(asked) == Refused("held by pod-0", "pod-0")
        assert len(self.queue) == 0
        assert len(self.world.clock.getDelayedCalls()) == 1  # that of the lease

    def test_who_leaves_is_forgotten(self) -> None:
        """The next one in line gets what the first did not wait for."""
        first, second = self.wait("pod-1"), self.wait("pod-2")
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.give_back(self.held.lease)
        assert isinstance(self.successResultOf(second), Granted)

    def test_who_leaves_while_it_is_given_the_lock(self) -> None:
        """It is given back, and the next one gets it."""
        first, second = self.wait("pod-1"), self.wait("pod-2")
        self.world.disk.slow = True
        self.give_back(self.held.lease)
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.world.disk.slow = False
        self.world.disk.go_on()
        self.world.clock.pump([0, 0, 0])
        assert isinstance(self.successResultOf(second), Granted)

    def test_a_broken_store_is_told(self) -> None:
        """Each hears in its turn that the store cannot do it; nobody waits for nothing."""
        first, second = self.wait("pod-1"), self.wait("pod-2")
        self.world.disk.broken = OSError("no")
        self.give_back(self.held.lease)
        self.failureResultOf(first, StoreError)
        self.world.clock.pump([0, 0])
        self.failureResultOf(second, StoreError)
        assert len(self.queue) == 0

    def test_it_looks_by_itself(self) -> None:
        """If nobody tells that the lock is free, it is found out within a second."""
        self.world.store.watch(lambda _: None)
        asked = self.wait()
        self.give_back(self.held.lease)
        self.assertNoResult(asked)
        self.world.clock.pump([LOOK_AGAIN])
        assert isinstance(self.successResultOf(asked), Granted)

    def test_seats_have_an_end(self) -> None:
        """Who finds no seat hears at once who holds it."""
        queue = Queue(self.world.store, self.world.clock, 1)
        queue.ask(wanted(value="pod-1", wait=5))
        assert isinstance(self.successResultOf(queue.ask(wanted(value="pod-2", wait=5))), Refused)

    def test_stopping_answers_everybody(self) -> None:
        """At the end of the server nobody is left waiting."""
        asked = [self.wait("pod-1"), self.wait("pod-2")]
        self.queue.stop()
        assert [type(self.successResultOf(each)) for each in asked] == [Refused, Refused]

    def test_ten_thousand_times(self) -> None:
        """Nothing is kept of those who came and went."""
        for _ in range(10_000):
            asked = self.wait()
            asked.cancel()
            self.failureResultOf(asked, CancelledError)
        assert len(self.queue) == 0
        assert len(self.world.clock.getDelayedCalls()) == 1
