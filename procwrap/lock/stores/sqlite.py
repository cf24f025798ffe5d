"""The embedded store: a table in memory that judges, and a journal that remembers what it has granted.

Never two at once, whatever happens to this process: a grant is in the journal before it is answered; after a
restart every lease in the journal lasts one more TTL; and a store that begins without a past, in memory or in
a new file, grants nothing for as long as the longest TTL that it ever grants, since an earlier one may have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from procwrap.interfaces import ILeaseStore
from procwrap.lock.lease import Granted, Lease, Refused, StoreError, held_by
from procwrap.lock.stores.journal import Journal
from procwrap.lock.stores.table import DRIFT, NEVER, Entry, Table
from procwrap.lock.wanted import Wanted

SHORTEST_TTL = 1.0
MOST_LEASES = 100_000
SWEPT_AT_ONCE = 500

Answer = Granted | Refused


@implementer(ILeaseStore)
@define(eq=False)
class SqliteStore:
    """Keeps leases on this machine.

    Args:
        wall: seconds since the epoch.
        new_id: draws a number from 1 to 2^63-1 that nobody can guess.
        longest_ttl: seconds; more is never granted.
    """

    _journal: Journal
    _clock: IReactorTime
    _wall: Callable[[], float]
    _new_id: Callable[[], int]
    _longest_ttl: float
    expired: int = field(init=False, default=0)
    _table: Table = field(init=False, factory=Table)
    _token: int = field(init=False, default=0)
    _opens: float = field(init=False, default=0.0)
    _freed: Callable[[str], None] = field(init=False, default=lambda _: None)
    _sweep: IDelayedCall | None = field(init=False, default=None)

    def open(self) -> None:
        """Open the journal; blocks.

        Raises:
            CannotStartError: it cannot be used.
        """
        now = self._clock.seconds()
        # A store without a past cannot know the last token: the time in milliseconds grows faster than it.
        first_token = int(self._wall() * 1000)
        remembered = self._journal.open(first_token)
        if remembered is None:
            self._token = first_token
            self._opens = now + self._longest_ttl * (1 + DRIFT)
            return
        self._token, entries = remembered
        for entry in entries:
            self._table.add(entry)
            self._table.begin(entry, now)
        self._plan_sweep()

    def watch(self, freed: Callable[[str], None]) -> None:
        """Call ``freed(key)`` whenever a key has become free."""
        self._freed = freed

    def acquire(self, wanted: Wanted) -> Deferred[Answer]:
        """Give a key to whoever wants it, unless somebody has it."""
        now = self._clock.seconds()
        held = self._live(self._table.of_key(wanted.key), now)
        if held is not None:
            return succeed(self._same_again(held, wanted, now) or held_by(held.wanted.value))
        if now < self._opens:
            left = math.ceil(self._opens - now)
            return succeed(
                Refused(f"the lock server began with nothing: an earlier holder may have {left}s left")
            )
        if len(self._table) >= MOST_LEASES:
            return fail(StoreError(f"there are {MOST_LEASES} leases, and no more are kept"))
        return self._grant(wanted)

    def _same_again(self, held: Entry, wanted: Wanted, now: float) -> Granted | None:
        same = wanted.request and wanted.request == held.wanted.request
        if not same or held.deadline == NEVER:
            return None
        held.renew(now)
        return Granted(held.lease, held.ttl, held.token)

    def _grant(self, wanted: Wanted) -> Deferred[Answer]:
        ttl = math.ceil(min(max(wanted.ttl, SHORTEST_TTL), self._longest_ttl) * 1000) / 1000
        self._token += 1
        entry = Entry(wanted, self._new_id(), ttl, self._token, self._wall())
        self._table.add(entry)
        granted: Deferred[Answer] = Deferred(lambda _: None)  # a cancelled one is seen when it is written
        self._journal.put(entry).addCallbacks(
            self._written, self._lost, (entry, granted), {}, (entry, granted)
        )
        return granted

    def _written(self, _: None, entry: Entry, granted: Deferred[Answer]) -> None:
        if granted.called:
            self._forget(entry)
            return
        self._table.begin(entry, self._clock.seconds())
        self._plan_sweep()
        granted.callback(Granted(entry.lease, entry.ttl, entry.token))

    def _lost(self, failure: Failure, entry: Entry, granted: Deferred[Answer]) -> None:
        self._table.remove(entry)
        if not granted.called:
            granted.errback(failure)
        self._is_free(entry)

    def keep(self, lease: int) -> Deferred[float | None]:
        """Let the TTL of a lease begin anew."""
        now = self._clock.seconds()
        held = self._live(self._table.of_lease(lease), now)
        if held is None or held.deadline == NEVER:
            return succeed(None)
        held.renew(now)
        return succeed(held.ttl)

    def release(self, lease: int) -> Deferred[bool]:
        """End a lease. That it gets to the disk is not waited for: the lock is free now."""
        held = self._live(self._table.of_lease(lease), self._clock.seconds())
        if held is None or held.deadline == NEVER:
            return succeed(False)
        self._forget(held)
        return succeed(True)

    def leases(self) -> Deferred[Sequence[Lease]]:
        """Return all leases."""
        now = self._clock.seconds()
        return succeed([_listed(entry) for entry in self._table if now < entry.deadline < NEVER])

    def count(self) -> Deferred[int]:
        """Return how many leases there are."""
        return succeed(len(self._table))

    def check(self) -> Deferred[None]:
        """Find out whether the journal can be written."""
        return self._journal.check()

    def close(self) -> Deferred[None]:
        """Close the journal."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        return self._journal.close()

    def _live(self, entry: Entry | None, now: float) -> Entry | None:
        if entry is not None and entry.deadline <= now:
            self.expired += 1
            self._forget(entry)
            return None
        return entry

    def _forget(self, entry: Entry) -> None:
        self._table.remove(entry)
        self._journal.delete(entry)
        self._is_free(entry)

    def _is_free(self, entry: Entry) -> None:
        # Later: who is told asks for the key at once, perhaps while somebody else is being given it.
        self._clock.callLater(0, self._freed, entry.wanted.key)

    def _plan_sweep(self) -> None:
        due = self._table.next_look()
        if due is None:
            return
        wait = max(0.0, due - self._clock.seconds())
        if self._sweep is None:
            self._sweep = self._clock.callLater(wait, self._sweep_now)
        elif due < self._sweep.getTime():
            self._sweep.reset(wait)

    def _sweep_now(self) -> None:
        self._sweep = None
        for entry in self._table.over(self._clock.seconds(), SWEPT_AT_ONCE):
            self.expired += 1
            self._journal.delete(entry)
            self._is_free(entry)
        self._plan_sweep()


def _listed(entry: Entry) -> Lease:
    wanted = entry.wanted
    return Lease(
        wanted.key, wanted.value, wanted.labels, wanted.timestamp, entry.since, entry.ttl, entry.token
    )
