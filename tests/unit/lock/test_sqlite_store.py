"""The embedded store: one holder a key, over restarts, slow and broken disks."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.errors import CannotStartError
from procwrap.interfaces import ILeaseStore
from procwrap.lock.lease import Granted, Refused, StoreError
from procwrap.lock.stores import sqlite
from procwrap.lock.stores.journal import Journal
from tests.support.leases import Disk, World, wanted


class SqliteStoreTests(SynchronousTestCase):
    """What holds for whoever asks."""

    def setUp(self) -> None:
        """Begin with a store in memory."""
        self.world = World()
        self.store = self.world.store

    def granted(self, asked: Deferred[Granted | Refused]) -> Granted:
        """Return what was granted."""
        answer = self.successResultOf(asked)
        assert isinstance(answer, Granted)
        return answer

    def refused(self, asked: Deferred[Granted | Refused]) -> Refused:
        """Return why it was refused."""
        answer = self.successResultOf(asked)
        assert isinstance(answer, Refused)
        return answer

    def test_it_is_a_store(self) -> None:
        """It does all that a store has to."""
        assert verifyObject(ILeaseStore, self.store)

    def test_one_holder(self) -> None:
        """Who comes second is told who was first; another key is free."""
        self.granted(self.store.acquire(wanted(value="pod-1")))
        assert self.refused(self.store.acquire(wanted(value="pod-2"))) == Refused("held by pod-1", "pod-1")
        self.granted(self.store.acquire(wanted("other", "pod-2")))

    def test_a_lease_outlasts_its_ttl_by_the_drift(self) -> None:
        """A holder whose clock is a little slow still ends before the next one begins."""
        self.granted(self.store.acquire(wanted()))
        self.world.clock.advance(2.0)
        self.refused(self.store.acquire(wanted(value="pod-2")))
        self.world.clock.advance(0.021)
        self.granted(self.store.acquire(wanted(value="pod-2")))

    def test_keepalives_keep(self) -> None:
        """The TTL begins anew with each; the first one that comes too late is told so."""
        lease = self.granted(self.store.acquire(wanted())).lease
        for _ in range(5):
            self.world.clock.advance(1.9)
            assert self.successResultOf(self.store.keep(lease)) == 2.0
        self.world.clock.advance(2.03)
        assert self.successResultOf(self.store.keep(lease)) is None
        assert self.store.expired == 1

    def test_nobody_keeps_what_is_not_there(self) -> None:
        """An unknown lease is over."""
        assert self.successResultOf(self.store.keep(99)) is None
        assert self.successResultOf(self.store.release(99)) is False

    def test_release(self) -> None:
        """A released key is free at once, and who waits for it is told."""
        lease = self.granted(self.store.acquire(wanted())).lease
        assert self.successResultOf(self.store.release(lease)) is True
        self.world.clock.advance(0)
        assert self.world.freed == ["db"]
        self.granted(self.store.acquire(wanted(value="pod-2")))
        assert self.successResultOf(self.store.release(lease)) is False

    def test_the_same_request_gets_the_same_lease(self) -> None:
        """Who lost the answer asks again; somebody else of the same name does not get it."""
        first = self.granted(self.store.acquire(wanted(request="r1")))
        self.world.clock.advance(1.9)
        assert self.granted(self.store.acquire(wanted(request="r1"))) == first
        self.world.clock.advance(1.9)
        self.refused(self.store.acquire(wanted(request="r2")))
        self.refused(self.store.acquire(wanted()))

    def test_tokens_only_grow(self) -> None:
        """Each lease has a larger fencing token than the one before it."""
        tokens = []
        for _ in range(3):
            granted = self.granted(self.store.acquire(wanted()))
            tokens.append(granted.token)
            self.store.release(granted.lease)
        assert tokens == sorted(set(tokens))

    def test_ttls_have_bounds(self) -> None:
        """Too short a TTL becomes a second, too long a one the longest, and whoever asks is told."""
        assert self.granted(self.store.acquire(wanted("a", ttl=0.05))).ttl == 1.0
        assert self.granted(self.store.acquire(wanted("b", ttl=3600))).ttl == 10.0
        assert self.granted(self.store.acquire(wanted("c", ttl=1.5))).ttl == 1.5

    def test_expiry_is_told_when_it_happens(self) -> None:
        """Who waits hears of it within the moment, whichever lease ends first."""
        self.granted(self.store.acquire(wanted("long", ttl=9)))
        self.granted(self.store.acquire(wanted("short", ttl=2)))
        self.world.pass_time(2.03)
        assert self.world.freed == ["short"]
        self.world.pass_time(7.1)
        assert self.world.freed == ["short", "long"]
        assert self.successResultOf(self.store.count()) == 0

    def test_nothing_is_answered_before_it_is_written(self) -> None:
        """While a grant is on its way to the disk nobody has the lock, and nobody else gets it."""
        self.world.disk.slow = True
        first = self.store.acquire(wanted(request="r1"))
        self.assertNoResult(first)
        self.refused(self.store.acquire(wanted(value="pod-2")))
        self.refused(self.store.acquire(wanted(request="r1")))
        assert self.successResultOf(self.store.leases()) == []
        self.world.disk.go_on()
        self.granted(first)

    def test_a_grant_that_nobody_waits_for_is_given_back(self) -> None:
        """Whoever went away while the disk was slow holds nothing up."""
        self.world.disk.slow = True
        first = self.store.acquire(wanted())
        first.cancel()
        self.failureResultOf(first)
        self.world.disk.slow = False
        self.world.disk.go_on()
        self.granted(self.store.acquire(wanted(value="pod-2")))

    def test_a_full_disk_grants_nothing(self) -> None:
        """What cannot be written is not granted; holders keep, and can release, what they have."""
        lease = self.granted(self.store.acquire(wanted("old"))).lease
        self.world.disk.broken = sqlite3.OperationalError("database or disk is full")
        failure = self.failureResultOf(self.store.acquire(wanted("new")), StoreError)
        assert "disk is full" in str(failure.value)
        self.failureResultOf(self.store.check(), StoreError)
        assert self.successResultOf(self.store.keep(lease)) == 2.0
        assert self.successResultOf(self.store.release(lease)) is True
        self.world.disk.broken = None
        self.successResultOf(self.store.check())
        self.granted(self.store.acquire(wanted("new")))

    def test_there_is_an_end_to_leases(self) -> None:
        """So many leases are kept, and no more."""
        self.patch(sqlite, "MOST_LEASES", 2)
        self.granted(self.store.acquire(wanted("a")))
        self.granted(self.store.acquire(wanted("b")))
        self.failureResultOf(self.store.acquire(wanted("c")), StoreError)

    def test_leases_are_listed(self) -> None:
        """Who holds what since when; what would let others release it is left out."""
        self.granted(self.store.acquire(wanted(labels=(("app", "shop"),), timestamp="now")))
        (lease,) = self.successResultOf(self.store.leases())
        assert (lease.key, lease.value, lease.labels, lease.since) == (
            "db",
            "pod-1",
            (("app", "shop"),),
            1.7e9,
        )
        assert not hasattr(lease, "lease")

    def test_without_a_past_nothing_is_granted_at_first(self) -> None:
        """A server that forgot everything waits out the longest TTL that it may have granted before."""
        world = World(begun=False)
        reason = self.refused(world.store.acquire(wanted())).reason
        assert reason == "the lock server began with nothing: an earlier holder may have 11s left"
        world.clock.advance(10.0)
        self.refused(world.store.acquire(wanted()))
        world.clock.advance(0.1)
        self.granted(world.store.acquire(wanted()))

    def test_closing_leaves_nothing_behind(self) -> None:
        """No timer is left when a store was closed."""
        self.granted(self.store.acquire(wanted()))
        self.successResultOf(self.store.close())
        assert self.world.clock.getDelayedCalls() == []


class FileTests(SynchronousTestCase):
    """What a file remembers."""

    def setUp(self) -> None:
        """Begin with a file that has a past."""
        self.path = self.mktemp()
        self.world = World(self.path)

    def acquire(self, value: str = "pod-1", key: str = "db", **more: object) -> object:
        """Ask for a lease."""
        return self.successResultOf(self.world.store.acquire(wanted(key, value, **more)))

    def test_leases_survive(self) -> None:
        """After a restart the holder goes on; nobody else gets the lock before it had a whole TTL."""
        first = self.acquire()
        assert isinstance(first, Granted)
        self.world.clock.advance(1.9)
        self.world.restart()
        self.world.clock.advance(1.9)
        assert isinstance(self.acquire("pod-2"), Refused)
        assert self.successResultOf(self.world.store.keep(first.lease)) == 2.0
        self.world.clock.advance(2.03)
        second = self.acquire("pod-2")
        assert isinstance(second, Granted)
        assert second.token > first.token

    def test_what_was_released_stays_released(self) -> None:
        """A restart does not bring back what was given back."""
        first = self.acquire()
        assert isinstance(first, Granted)
        self.world.store.release(first.lease)
        self.world.restart()
        assert isinstance(self.acquire("pod-2"), Granted)

    def test_a_lost_answer_survives_too(self) -> None:
        """The same request gets its lease from the restarted server."""
        first = self.acquire(request="r1")
        self.world.restart()
        assert self.acquire(request="r1") == first

    def test_a_new_file_is_no_past(self) -> None:
        """A file that nothing was ever granted from is as good as none, however often it is opened."""
        world = World(self.mktemp(), begun=False)
        world.restart()
        assert isinstance(self.successResultOf(world.store.acquire(wanted())), Refused)

    def test_one_server_a_file(self) -> None:
        """A second server cannot use the file of a running one, and says what to do."""
        with pytest.raises(CannotStartError, match="another lock server uses it; set --shared-lock-store"):
            Journal(self.path, Disk().do).open(1)

    def test_something_else_is_not_touched(self) -> None:
        """A file that is no store of ours is named, and left as it is."""
        other = self.mktemp()
        Path(other).write_bytes(b"something else" * 100)
        with pytest.raises(CannotStartError, match="not a database"):
            Journal(other, Disk().do).open(1)
        assert Path(other).read_bytes() == b"something else" * 100

    def test_a_later_version_is_not_touched(self) -> None:
        """What a newer procwrap has written is not read by an older one."""
        self.world.crash()
        with sqlite3.connect(self.path) as connection:
            connection.execute("PRAGMA user_version = 9")
        connection.close()
        with pytest.raises(CannotStartError, match="version 9, expected 1"):
            Journal(self.path, Disk().do).open(1)
