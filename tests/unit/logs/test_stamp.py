from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from procwrap.logs.stamp import Stamper


def test_stamps_are_rfc_3339_in_utc_with_milliseconds() -> None:
    """The form is the same for every instant."""
    stamp = Stamper()
    assert stamp(1795291384.567) == "2026-11-21T20:03:04.567Z"
    assert stamp(1795291384.567) == "2026-11-21T20:03:04.567Z"
    assert stamp(1795291384.9999) == "2026-11-21T20:03:05.000Z"
    assert stamp(1795291385) == "2026-11-21T20:03:05.000Z"
    assert stamp(0) == "1970-01-01T00:00:00.000Z"


@given(st.lists(st.integers(0, 4_000_000_000_000)))
def test_what_is_remembered_is_never_stale(millis: list[int]) -> None:
    """A stamper that has been used before, by a clock that may jump, says what a new one says."""
    stamp = Stamper()
    for instant in millis:
        expected = datetime.fromtimestamp(instant // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        assert stamp(instant / 1000) == f"{expected}.{instant % 1000:03d}Z"
