"""Server-sent events as they go over the wire (HTML Living Standard, 9.2.5: the event stream format)."""

from __future__ import annotations

import json
from collections.abc import Iterator

EVENT_STREAM = b"text/event-stream; charset=utf-8"

ALIVE = b": alive\n\n"
"""A comment, for nobody but those who wonder whether the connection is still there."""

LARGEST = 64 * 1024
"""Bytes of records that become one event, unless a single record is longer."""


def event(kind: str, value: object, number: int | None = None) -> bytes:
    """Write an event whose data is JSON on one line.

    Args:
        kind: the event's name.
        value: its data.
        number: its id, from which a client resumes.
    """
    head = b"" if number is None else b"id: %d\n" % number
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return b"%bevent: %b\ndata: %b\n\n" % (head, kind.encode(), data)


def records(data: bytes, count: int) -> Iterator[tuple[bytes, int]]:
    """Write records as events, each with a line of data for each of its records.

    Args:
        data: complete records, each ending in a newline.
        count: how many they are.

    Yields:
        An event and how many records are in it.
    """
    if len(data) <= LARGEST:
        yield _lines(data), count
        return
    start = 0
    while start < len(data):
        # At least one record, else as many as fit.
        end = data.rfind(b"\n", start, start + LARGEST) + 1 or data.index(b"\n", start + LARGEST) + 1
        piece = data[start:end]
        yield _lines(piece), piece.count(b"\n")
        start = end


def _lines(data: bytes) -> bytes:
    # A carriage return would end the line for the client (only in the formats that pass it on).
    lines = data[:-1]
    if b"\r" in lines:
        lines = lines.replace(b"\r", b" ")
    return b"data: %b\n\n" % lines.replace(b"\n", b"\ndata: ")
