"""What was asked about the shared lock of a process."""

from __future__ import annotations

from attrs import frozen

DEFAULT_URL = "http://localhost:8191"
DEFAULT_TTL = 2.0


@frozen
class LockSpec:
    """Of all that run a process of this name, one runs it at a time.

    Attributes:
        ttl: seconds that the lock is kept for a holder that is not heard of.
    """

    ttl: float = DEFAULT_TTL
