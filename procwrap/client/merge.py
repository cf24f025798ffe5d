"""Records of several processes in one order: that of their times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from heapq import merge

_STAMP = re.compile(rb'(?:\{"time":"|time="?)(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)')


def stamp(record: bytes) -> bytes:
    """Return the time with which a record of logfmt or JSON begins, or nothing: one of ``free`` has none.

    All times are written alike, so that their order is that of their text.
    """
    found = _STAMP.match(record)
    return found[1] if found else b""


def merged(sources: Sequence[Sequence[bytes]]) -> Iterator[bytes]:
    """Yield the records of several processes in the order of their times, those of each in its own order."""
    for _, _, record in merge(*(_stamped(index, records) for index, records in enumerate(sources))):
        yield record


def _stamped(index: int, records: Sequence[bytes]) -> Iterator[tuple[bytes, int, bytes]]:
    # A clock that was set back, or a record without a time, does not change the order of one process.
    latest = b""
    stamped = []
    for record in records:
        latest = max(latest, stamp(record))
        stamped.append((latest, index, record))
    yield from stamped
