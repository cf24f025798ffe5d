"""The leases of an embedded store and their deadlines; pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from attrs import define, field

from procwrap.lock.wanted import Wanted

DRIFT = 0.01
"""By how much, as a part of the TTL, a lease lasts longer than its holder counts: its clock may be slower."""
NEVER = float("inf")


@define(eq=False)
class Entry:
    """One lease.

    Attributes:
        wanted: what was asked for.
        lease: its id.
        ttl: seconds that were granted.
        since: seconds since the epoch.
        deadline: monotonic seconds from which on it is over; never, while it is being written.
    """

    wanted: Wanted
    lease: int
    ttl: float
    token: int
    since: float
    deadline: float = NEVER

    def renew(self, now: float) -> None:
        """Let the TTL begin anew; time that it has is never taken from it."""
        later = now + self.ttl * (1 + DRIFT)
        if self.deadline == NEVER or later > self.deadline:
            self.deadline = later


@define(eq=False)
class Table:
    """All leases that are not over, and those that are and were not swept yet."""

    _by_key: dict[str, Entry] = field(factory=dict)
    _by_lease: dict[int, Entry] = field(factory=dict)
    _due: list[tuple[float, int]] = field(factory=list)
    """A heap with each lease once, at a time at which it is worth looking at."""

    def __len__(self) -> int:
        return len(self._by_key)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._by_key.values()))

    def of_key(self, key: str) -> Entry | None:
        """Return the lease of a key."""
        return self._by_key.get(key)

    def of_lease(self, lease: int) -> Entry | None:
        """Return a lease by its id."""
        return self._by_lease.get(lease)

    def add(self, entry: Entry) -> None:
        """Add a lease.

        Raises:
            ValueError: its key is not free.
        """
        if entry.wanted.key in self._by_key:
            raise ValueError(f"{entry.wanted.key} is not free")
        self._by_key[entry.wanted.key] = entry
        self._by_lease[entry.lease] = entry

    def begin(self, entry: Entry, now: float) -> None:
        """Let the first TTL of a lease begin."""
        entry.renew(now)
        heappush(self._due, (entry.deadline, entry.lease))

    def remove(self, entry: Entry) -> None:
        """Forget a lease; doing it twice does no harm."""
        if self._by_lease.pop(entry.lease, None) is not None:
            del self._by_key[entry.wanted.key]

    def over(self, now: float, most: int) -> list[Entry]:
        """Remove leases that are over.

        Returns:
            At most so many of them; whether there are more, ``next_look`` tells.
        """
        found: list[Entry] = []
        while self._due and self._due[0][0] <= now and len(found) < most:
            _, lease = heappop(self._due)
            entry = self._by_lease.get(lease)
            if entry is None:
                continue
            if entry.deadline <= now:
                self.remove(entry)
                found.append(entry)
            else:
                heappush(self._due, (entry.deadline, lease))
        return found

    def next_look(self) -> float | None:
        """Return when something may be over; None when there is nothing."""
        return self._due[0][0] if self._due else None
