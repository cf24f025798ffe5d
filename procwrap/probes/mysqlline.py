"""A connection that is made and used in one thread, and can be cut from another at any moment."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
from collections.abc import Sequence
from threading import Lock
from typing import Any

from attrs import define, field

from procwrap.probes.dial import PATIENCE

Place = tuple[socket.AddressFamily, Any]
"""A family of addresses and one of them, as ``socket.connect`` takes it."""


@define(eq=False)
class Line:
    """Connects to one place at a time, until it is cut.

    It keeps a descriptor of its own for the connection: whoever uses the connection may close theirs
    whenever they like (and TLS takes theirs away), and cutting can never hit a descriptor that has been
    closed and given to somebody else.
    """

    _lock: Lock = field(factory=Lock)
    _end: socket.socket | None = None
    _is_cut: bool = False

    @property
    def is_cut(self) -> bool:
        """Whether it has been cut."""
        return self._is_cut

    def connect(self, places: Sequence[Place]) -> tuple[socket.socket, Place]:
        """Connect to the first place that answers; blocks until then, or until it is cut.

        Returns:
            A blocking socket, to be closed by the caller, and the place.

        Raises:
            OSError: what was wrong with the first place, when there is none; or the line was cut.
        """
        first_error: OSError | None = None
        for index, place in enumerate(places):
            is_last = index == len(places) - 1
            try:
                return self._connect(place, None if is_last else PATIENCE), place
            except OSError as error:
                first_error = first_error or error
        raise first_error or OSError("it has no address")

    def _connect(self, place: Place, patience: float | None) -> socket.socket:
        made = socket.socket(place[0], socket.SOCK_STREAM)
        try:
            self._begin(made, place[1])
            _wait(made, patience)
            if made.getsockname() and made.getsockname() == made.getpeername():
                # The kernel may pick the very port that nobody listens on as ours (RFC 9293, 3.5).
                raise ConnectionRefusedError("nobody listens")
            made.setblocking(True)
        except BaseException:
            made.close()
            self.close()
            raise
        return made

    def _begin(self, made: socket.socket, address: Any) -> None:
        made.setblocking(False)
        if made.family != socket.AF_UNIX:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        with self._lock:
            # Under the lock, so that nothing is begun after the cut, and whatever was begun before is hit.
            if self._is_cut:
                raise ConnectionAbortedError("cut")
            self._end = made.dup()
            # It does not block. A Unix socket whose queue is full says EAGAIN, and never anything later.
            error = made.connect_ex(address)
        if error == errno.EAGAIN:
            raise BlockingIOError(error, "its queue of connections is full")
        if error not in (0, errno.EINPROGRESS):
            raise OSError(error, os.strerror(error))

    def cut(self) -> None:
        """End the connection, whatever its thread is doing with it, and never connect again."""
        with self._lock:
            self._is_cut = True
            if self._end is not None:
                with contextlib.suppress(OSError):
                    self._end.shutdown(socket.SHUT_RDWR)

    def limit_sending(self, seconds: int) -> None:
        """Let whatever is sent from now on fail when it takes longer."""
        with self._lock:
            if self._end is not None:
                # SO_SNDTIMEO, socket(7), counts for all descriptors of the connection.
                self._end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", seconds, 0))

    def close(self) -> None:
        """Let go of the connection, which its user has closed or is about to."""
        with self._lock:
            if self._end is not None:
                self._end.close()
                self._end = None


def _wait(made: socket.socket, patience: float | None) -> None:
    """Wait until a connection that was begun is there.

    Raises:
        OSError: it is not, and will not be.
    """
    ready = select.poll()
    ready.register(made, select.POLLOUT)
    if not ready.poll(None if patience is None else patience * 1000):
        raise TimeoutError(errno.ETIMEDOUT, "no answer")
    error = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))
