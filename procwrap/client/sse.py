"""Server-sent events, as the HTML standard has them (9.2.6): bytes in, events out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LARGEST = 64 * 1024 * 1024
"""Bytes of one event; more than that is no answer of procwrap."""

OPEN = ":open"
"""The kind of the event with which a stream begins, again and again; no host sends it."""


class Event(NamedTuple):
    """One event: its kind, its data with a newline between any two lines of it, and the last id so far."""

    kind: str
    data: str
    last_id: str = ""


class TooLargeError(ValueError):
    """An event is larger than anything that procwrap sends."""


class Reader:
    """Turns pieces of a stream into events; holds back what is not complete."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._tail = bytearray()
        self._looked = 0
        self._held = 0
        self._kind = ""
        self._data: list[str] = []
        self.last_id = ""

    def feed(self, piece: bytes) -> Iterator[Event]:
        """Take a piece of the stream, and yield the events that it completes.

        Raises:
            TooLargeError: an event has become too large.
        """
        self._tail += piece
        for line in self._lines():
            if not line:
                yield from self._end()
            else:
                self._take(line)
        if self._held + len(self._tail) > self._largest:
            raise TooLargeError(f"an event is larger than {self._largest // 1024 // 1024} MiB")

    def _lines(self) -> Iterator[bytes]:
        # procwrap ends its lines with a newline; a carriage return before it is none of the line.
        begin = 0
        while (end := self._tail.find(b"\n", max(begin, self._looked))) >= 0:
            yield bytes(self._tail[begin:end]).removesuffix(b"\r")
            begin = end + 1
        del self._tail[:begin]
        self._looked = len(self._tail)

    def _take(self, line: bytes) -> None:
        name, _, rest = line.partition(b":")
        value = rest.removeprefix(b" ").decode("utf-8", "replace")
        if name == b"data":
            self._data.append(value)
            self._held += len(rest)
        elif name == b"event":
            self._kind = value
        elif name == b"id" and "\0" not in value:
            self.last_id = value

    def _end(self) -> Iterator[Event]:
        # An event without data is none.
        if self._data:
            yield Event(self._kind or "message", "\n".join(self._data), self.last_id)
        self._kind, self._data, self._held = "", [], 0
