"""The FIFO through which launched programs and their children say when something happened."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path

from attrs import define, field, frozen


class MeasureError(Exception):
    """A program could not be measured; the message, one line, stands in its row."""


@frozen
class Stamp:
    """One moment: which process, and its CLOCK_MONOTONIC in nanoseconds."""

    pid: int
    at_ns: int


def parse(text: bytes) -> tuple[list[Stamp], bytes]:
    """Stamps of all whole lines, and the rest of the text."""
    whole, _, rest = text.rpartition(b"\n")
    pairs = (line.split() for line in whole.splitlines())
    return [Stamp(int(pid), int(at_ns)) for pid, at_ns in pairs], rest


@define(eq=False)
class Stamps:
    """The reading end; make it with ``Stamps.create`` and close it when done."""

    path: Path
    _fifo: int
    _rest: bytes = b""
    _unread: list[Stamp] = field(factory=list)

    @classmethod
    def create(cls, path: Path) -> Stamps:
        """Make a FIFO at a path and open it for both, so that no writer ever waits for us."""
        os.mkfifo(path)
        return cls(path, os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))

    def close(self) -> None:
        """Close our end; the directory it lies in goes with the benchmark."""
        os.close(self._fifo)

    def take(self, count: int, seconds: float, ended: int = -1) -> list[Stamp]:
        """The next stamps, sleeping until they are there.

        Args:
            count: How many.
            seconds: How long to wait for all of them.
            ended: A pidfd; when that process ends first, there is nothing to wait for.

        Raises:
            MeasureError: They did not come.
        """
        deadline = time.monotonic() + seconds
        ready = select.poll()
        ready.register(self._fifo, select.POLLIN)
        if ended >= 0:
            ready.register(ended, select.POLLIN)
        while len(self._unread) < count:
            events = dict(ready.poll(max(0, deadline - time.monotonic()) * 1000))
            if self._fifo in events:
                stamps, self._rest = parse(self._rest + os.read(self._fifo, 65536))
                self._unread += stamps
            elif ended in events:
                raise MeasureError(f"it ended with {len(self._unread)} of {count} children started")
            elif not events:
                raise MeasureError(f"{len(self._unread)} of {count} children started within {seconds:g} s")
        taken, self._unread = self._unread[:count], self._unread[count:]
        return taken
