"""Leases as data: what a store grants, refuses and lists."""

from __future__ import annotations

from attrs import frozen


class StoreError(Exception):
    """A store cannot do what it is asked; the text says why, in one line without secrets."""


@frozen
class Granted:
    """Somebody holds the lock now.

    Attributes:
        lease: its id, 1 to 2^63-1.
        ttl: seconds, a whole number of milliseconds.
        token: the fencing token.
    """

    lease: int
    ttl: float
    token: int


@frozen
class Refused:
    """Somebody else holds the lock, or may hold it.

    Attributes:
        reason: why, for people.
        holder: the value of who holds it; None when nobody knows.
    """

    reason: str
    holder: str | None = None


@frozen
class Lease:
    """A lease as it is listed. Its id is left out: who knows it can release it.

    Attributes:
        timestamp: as the client said it.
        since: seconds since the epoch, by the server's clock.
        ttl: seconds.
        token: the fencing token.
    """

    key: str
    value: str
    labels: tuple[tuple[str, str], ...]
    timestamp: str
    since: float
    ttl: float
    token: int


def held_by(holder: str) -> Refused:
    """Refuse because of this holder."""
    return Refused(f"held by {holder}" if holder else "held by somebody", holder)
