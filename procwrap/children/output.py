"""Reads what a process writes: one reader a pipe, in large pieces, pausable, and ended on time."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.logger import Logger
from twisted.python.failure import Failure

from procwrap.children.turns import Turns

CHUNK = 64 * 1024
"""Bytes read at once: the size of a Linux pipe. Twisted's own reader takes 8 KiB."""

LARGE_PIPE = 256 * 1024
"""What the pipe of a busy process grows to: fewer and larger reads, fewer switches between it and us.

Only a busy one's, because the kernel limits what all pipes of a user hold together (pipe(7),
pipe-user-pages-soft), and grants those over the limit no more than one page."""

SMALLEST = 4 * 1024
"""Bytes read at once of what takes long to understand."""

LONG = 0.002
"""Seconds: a piece that takes longer is followed by smaller ones, so that nobody else waits for long."""

LINGER = 2.0
"""Seconds for which a pipe is still read after its process has ended, when a descendant holds it open."""

_log = Logger()


class Stream(Protocol):
    """Where the bytes go."""

    def receive(self, chunk: bytes) -> None:
        """Take bytes as they came."""

    def finish(self) -> None:
        """No more will come."""


class PipeReader(FileDescriptor):
    """One output pipe of one process.

    Attributes:
        paused: it is held back because the records have nowhere to go.
        last: its process has ended, so what is in it is all that will come.
    """

    def __init__(
        self,
        reactor: Any,
        fd: int,
        received: Callable[[bytes], None],
        lost: Callable[[Failure], None],
        turns: Turns | None = None,
    ) -> None:
        super().__init__(reactor)
        self.connected = True
        self._clock = reactor
        self._fd = fd
        self._received = received
        self._lost = lost
        self._turns = turns or Turns(reactor)
        self._waits = False
        self._size = self._most = CHUNK
        self._may_enlarge = True
        self.paused = False
        self.last = False
        FileDescriptor.startReading(self)

    def fileno(self) -> int:
        """Return the descriptor, -1 once it is closed."""
        return self._fd

    def doRead(self) -> Exception | None:
        """Read one piece, now or at its turn; the reactor calls this when there is something to read."""
        if not self._turns.is_over:
            return self._read_piece()
        FileDescriptor.stopReading(self)
        if not self._waits:
            self._waits = True
            self._turns.wait(self)
        return None

    def take_turn(self) -> None:
        """Read one piece after having waited for it."""
        self._waits = False
        if not self.connected or self.paused:
            return
        FileDescriptor.startReading(self)
        try:
            ended = self._read_piece()
        except Exception as error:
            _log.failure("what was read cannot be handled")
            ended = error
        if ended is not None:
            FileDescriptor.stopReading(self)
            self.connectionLost(Failure(ended))

    def _read_piece(self) -> Exception | None:
        try:
            chunk = os.read(self._fd, self._size)
        except BlockingIOError:
            return None
        except OSError:
            return ConnectionLost()
        if not chunk:
            return ConnectionDone()
        took = self._turns.measure(self._received, chunk)
        if took > LONG:
            self._size = max(self._size // 2, SMALLEST)
        elif len(chunk) == self._size and took * 2 < LONG:
            self._grow()
        return None

    def _grow(self) -> None:
        if self._size == CHUNK and self._may_enlarge:
            self._may_enlarge = False
            # Where the limit is reached, it works without, too.
            with suppress(OSError):
                fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, LARGE_PIPE)
                self._most = LARGE_PIPE
        self._size = min(self._size * 2, self._most)

    def catch_up(self) -> None:
        """Read what is in the pipe at this moment, and close it if nobody can write to it any more."""
        left = _waiting_in(self._fd)
        while left >= 0:
            try:
                chunk = os.read(self._fd, CHUNK)
            except OSError:
                return
            if not chunk:
                self._close()
                return
            left -= len(chunk)
            self._received(chunk)

    def finish_now(self) -> None:
        """Read what is in the pipe at this moment and close it, whoever else still holds it."""
        self.catch_up()
        self._close()

    def _close(self) -> None:
        FileDescriptor.stopReading(self)
        self.connectionLost(Failure(ConnectionDone()))

    def pauseProducing(self) -> None:
        """Stop reading: the records have nowhere to go."""
        self.paused = True
        FileDescriptor.pauseProducing(self)

    def resumeProducing(self) -> None:
        """Read on."""
        self.paused = False
        FileDescriptor.resumeProducing(self)

    def connectionLost(self, reason: Failure) -> None:
        """Close the pipe and say so."""
        if not self.connected:
            return
        FileDescriptor.connectionLost(self, reason)
        self.connected = False
        # Not at once: this may be while the reactor hands round what epoll_wait(2) told it, with an event of
        # this number still to come. A socket that got the number in between would be taken for hung up.
        self._clock.callLater(0, partial(os.close, self._fd))
        self._fd = -1
        self._lost(reason)


def _waiting_in(fd: int) -> int:
    """Return how many bytes are in the pipe (FIONREAD, ioctl_tty(2))."""
    answer = fcntl.ioctl(fd, termios.FIONREAD, struct.pack("i", 0))
    return int(struct.unpack("i", answer)[0])
