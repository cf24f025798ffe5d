"""Reads what a process writes: one reader a pipe, in large pieces, pausable, and ended on time."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from collections.abc import Callable
from typing import Protocol

from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReactorFDSet
from twisted.python.failure import Failure

CHUNK = 64 * 1024
"""Bytes read at once: the size of a Linux pipe. Twisted's own reader takes 8 KiB."""

LARGE_PIPE = 256 * 1024
"""What the pipe of a busy process grows to: fewer and larger reads, fewer switches between it and us.

Only a busy one's, because the kernel limits what all pipes of a user hold together (pipe(7),
pipe-user-pages-soft), and grants those over the limit no more than one page."""

LINGER = 2.0
"""Seconds for which a pipe is still read after its process has ended, when a descendant holds it open."""


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
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        fd: int,
        received: Callable[[bytes], None],
        lost: Callable[[Failure], None],
    ) -> None:
        super().__init__(reactor)
        self.connected = True
        self._fd = fd
        self._received = received
        self._lost = lost
        self._size = CHUNK
        self.paused = False
        FileDescriptor.startReading(self)

    def fileno(self) -> int:
        """Return the descriptor, -1 once it is closed."""
        return self._fd

    def doRead(self) -> Exception | None:
        """Read one piece; the reactor calls this when there is something to read."""
        try:
            chunk = os.read(self._fd, self._size)
        except BlockingIOError:
            return None
        except OSError:
            return ConnectionLost()
        if not chunk:
            return ConnectionDone()
        if len(chunk) == CHUNK == self._size:
            self._grow()
        self._received(chunk)
        return None

    def _grow(self) -> None:
        try:
            fcntl.fcntl(self._fd, fcntl.F_SETPIPE_SZ, LARGE_PIPE)
        except OSError:
            # The limit is reached: it works without, too.
            self._size = CHUNK + 1
        else:
            self._size = LARGE_PIPE

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
        os.close(self._fd)
        self._fd = -1
        self._lost(reason)


def _waiting_in(fd: int) -> int:
    """Return how many bytes are in the pipe (FIONREAD, ioctl_tty(2))."""
    answer = fcntl.ioctl(fd, termios.FIONREAD, struct.pack("i", 0))
    return int(struct.unpack("i", answer)[0])
