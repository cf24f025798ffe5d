"""Reads what somebody may say far too much of, without anybody else having to wait.

Of every ``WINDOW`` seconds one descriptor gets ``SHARE`` at the most, and no more than ``MOST`` pieces of it
are read. For the rest of the window the kernel lets the senders wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

MOST = 64
WINDOW = 0.02
"""Seconds; 3,200 messages a second are more than any process has to say about itself."""
SHARE = 0.002
"""Seconds: some messages take longer to understand than others, and some are sent for that very reason."""


class BoundedReader(FileDescriptor):
    """One descriptor that is read at leisure.

    Args:
        reactor: IReactorFDSet and IReactorTime.
        fd: the descriptor, non-blocking.
        read: reads one piece of it; returns why it was the last one, else None.
        closed: called once, when nothing more is read.
    """

    def __init__(
        self, reactor: Any, fd: int, read: Callable[[], Exception | None], closed: Callable[[], None]
    ) -> None:
        super().__init__(reactor)
        self.connected = True
        self._clock = reactor
        self._fd = fd
        self._read = read
        self._closed = closed
        self._left = 0
        self._time_left = 0.0
        self._window_ends = float("-inf")
        self._rest: IDelayedCall | None = None
        FileDescriptor.startReading(self)

    def fileno(self) -> int:
        """Return the descriptor, -1 once it is read no more."""
        return self._fd

    def doRead(self) -> Exception | None:
        """Read all that is there, unless that is too much."""
        began = self._clock.seconds()
        if began >= self._window_ends:
            self._window_ends = began + WINDOW
            self._left, self._time_left = MOST, SHARE
        over_at = began + self._time_left
        try:
            while self._left and self._clock.seconds() < over_at:
                ended = self._read()
                self._left -= 1
                if ended is not None:
                    return ended
        except BlockingIOError:
            self._time_left = over_at - self._clock.seconds()
            return None
        except OSError:
            return ConnectionLost()
        self._take_a_rest(self._window_ends - began)
        return None

    def _take_a_rest(self, seconds: float) -> None:
        self._time_left = 0.0
        if self._rest is None:
            FileDescriptor.stopReading(self)
            self._rest = self._clock.callLater(seconds, self._go_on)

    def catch_up(self) -> None:
        """Read now what the reactor had no time to read yet."""
        if self.connected and (ended := self.doRead()) is not None:
            self.connectionLost(Failure(ended))

    def connectionLost(self, reason: Failure) -> None:
        """Read no more."""
        if not self.connected:
            return
        FileDescriptor.stopReading(self)
        FileDescriptor.connectionLost(self, reason)
        self.connected = False
        self._fd = -1
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        self._closed()

    def _go_on(self) -> None:
        self._rest = None
        FileDescriptor.startReading(self)
