"""Wall-clock times as people and programs read them."""

from __future__ import annotations

from time import gmtime, strftime


def rfc3339(wall: float) -> str:
    """Return seconds since the epoch as RFC 3339 in UTC with milliseconds, ``2026-11-21T20:03:04.567Z``."""
    seconds, milliseconds = divmod(int(wall * 1000), 1000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(seconds))}.{milliseconds:03d}Z"
