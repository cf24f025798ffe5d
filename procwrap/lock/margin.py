"""How long a lease may be used; pure."""

from __future__ import annotations

REACTION = 0.1
"""Seconds that are left for SIGKILL to be sent and to do its work."""
DRIFT = 0.05
"""How much faster than our clock that of the server may go."""


def until(sent: float, ttl: float) -> float:
    """Return the second at which the process has to be killed.

    Args:
        sent: when the request was sent that made the lease last.
        ttl: seconds that the server granted then. It counts from when the request arrived, which is later.
    """
    return sent + ttl - DRIFT * ttl - REACTION
