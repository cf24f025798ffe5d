"""Blocking writes of records to a file descriptor, such that no line is ever torn.

This runs in the thread of a ``BackgroundWriter``. When the descriptor fails for a while (a full disk), what
cannot be written is dropped in whole records and counted. If a record was half out when it happened, its
other half is kept and written before anything else, as soon as there is room again.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
from collections.abc import Sequence
from contextlib import suppress

from attrs import define, field

Lost = tuple[int, int]
"""Records and bytes that were given up."""

NOTHING_LOST: Lost = (0, 0)

# After these errors nothing written to this descriptor will ever arrive.
_FOR_GOOD = {errno.EPIPE, errno.ECONNRESET, errno.EBADF, errno.ENOTCONN, errno.ESHUTDOWN}

USUAL_PIPE = 64 * 1024
LARGE_PIPE = 256 * 1024
"""Bytes that a Linux pipe holds, and what a busy one is asked to hold (pipe(7))."""

# Buffers a single writev(2) takes on Linux.
MOST_BUFFERS = 1024


@define(eq=False)
class Descriptor:
    """Writes batches of records to one descriptor, whose flags it leaves alone."""

    fd: int
    torn: bytes = b""
    """What is missing of a record whose beginning is out."""
    failure: str | None = field(default=None, init=False)
    """Why the last batch failed, in the system's words; None if it did not."""
    gone: bool = field(default=False, init=False)
    """Whether the other end is gone for good."""
    _asked_for_more: bool = field(default=False, init=False)

    def write(self, batch: Sequence[bytes]) -> Lost:
        """Write all of it, however long that takes.

        Args:
            batch: Complete records, each ending in a newline; a buffer may hold many.

        Returns:
            What had to be given up. The record in ``torn`` is not among it: that one is still under way.
        """
        if self.gone:
            return sum(data.count(b"\n") for data in batch), sum(map(len, batch))
        if not self._asked_for_more and sum(map(len, batch)) > USUAL_PIPE:
            self._ask_for_more()
        todo = [self.torn, *batch] if self.torn else list(batch)
        at = offset = 0
        while at < len(todo):
            try:
                offset += self._write_some(todo[at : at + MOST_BUFFERS], offset)
            except OSError as error:
                return self._give_up(error, todo[at:], offset, finishing=bool(self.torn) and at == 0)
            while at < len(todo) and offset >= len(todo[at]):
                offset -= len(todo[at])
                at += 1
        self.torn = b""
        self.failure = None
        return NOTHING_LOST

    def close(self) -> Lost:
        """Give up the torn record; the descriptor itself stays open, for it may be anybody's."""
        lost = (1, len(self.torn)) if self.torn else NOTHING_LOST
        self.torn = b""
        return lost

    def _ask_for_more(self) -> None:
        """Let a pipe hold more: its reader and this thread then take turns less often."""
        self._asked_for_more = True
        with suppress(OSError):  # no pipe, or the limit of all pipes is reached: it works without, too
            if fcntl.fcntl(self.fd, fcntl.F_GETPIPE_SZ) < LARGE_PIPE:
                fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, LARGE_PIPE)

    def _write_some(self, buffers: list[bytes], offset: int) -> int:
        first: bytes | memoryview = memoryview(buffers[0])[offset:] if offset else buffers[0]
        while True:
            try:
                return os.writev(self.fd, [first, *buffers[1:]])
            except BlockingIOError:  # someone with whom we share the description made it non-blocking
                writable = select.poll()
                writable.register(self.fd, select.POLLOUT)
                writable.poll()

    def _give_up(self, error: OSError, rest: list[bytes], offset: int, *, finishing: bool) -> Lost:
        """Drop what is left but for the end of a record that has begun to come out.

        Args:
            error: Why.
            rest: The buffers that are not completely written.
            offset: How much of the first of them is.
            finishing: Whether that first one is itself the end of a torn record.
        """
        self.failure = os.strerror(error.errno) if error.errno else str(error)
        self.gone = error.errno in _FOR_GOOD
        first, *others = rest
        end = offset
        if finishing or (offset and not first.endswith(b"\n", 0, offset)):
            end = first.find(b"\n", offset) + 1 or len(first)
        self.torn = first[offset:end]
        torn_records, torn_bytes = self.close() if self.gone else NOTHING_LOST
        records = first.count(b"\n", end) + sum(data.count(b"\n") for data in others)
        return torn_records + records, torn_bytes + len(first) - end + sum(map(len, others))
