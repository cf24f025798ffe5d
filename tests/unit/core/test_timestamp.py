from __future__ import annotations

from procwrap.core.timestamp import rfc3339


def test_utc_with_milliseconds() -> None:
    """A time is written as RFC 3339 in UTC, with milliseconds."""
    assert rfc3339(1_795_291_384.5671) == "2026-11-21T20:03:04.567Z"


def test_milliseconds_keep_their_zeros() -> None:
    """Milliseconds always have three digits."""
    assert rfc3339(0.004) == "1970-01-01T00:00:00.004Z"
