"""How much has come through a socket that libpq reads, which itself tells nobody."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from termios import FIONREAD

from attrs import define, field

NARROW = 64 << 10
"""Bytes that the kernel keeps for libpq, which reads until nothing is left: with more it would read long."""
_BYTES_RECEIVED = 128
"""Where ``tcpi_bytes_received`` is in Linux's ``struct tcp_info``."""


@define(eq=False)
class Incoming:
    """Counts the bytes of one answer: exactly with TCP, too few with a Unix socket that is filled meanwhile.

    Args:
        fd: the socket.
    """

    _fd: int
    _before: int | None = field(init=False)
    _found: int = field(default=0, init=False)
    _seen: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._before = _received(self._fd)

    def about_to_read(self) -> None:
        """Remember what libpq is going to find."""
        self._found = 0 if self._before is not None else _waiting(self._fd)

    def count(self) -> int:
        """Return how many bytes there were; to be asked once after each reading."""
        if self._before is not None:
            return (_received(self._fd) or self._before) - self._before
        self._seen += max(0, self._found - _waiting(self._fd))
        return self._seen


def narrow(fd: int) -> None:
    """Let the kernel keep less for a socket than it likes to."""
    with _borrowed(fd) as borrowed:
        borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)


def _received(fd: int) -> int | None:
    """Return the bytes that have come through a TCP socket since it was opened; None for another kind."""
    with _borrowed(fd) as borrowed:
        try:
            info = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        except OSError:
            return None
    return struct.unpack_from("Q", info, _BYTES_RECEIVED)[0] if len(info) >= _BYTES_RECEIVED + 8 else None


def _waiting(fd: int) -> int:
    (count,) = struct.unpack("i", ioctl(fd, FIONREAD, bytes(4)))
    return int(count)


@contextmanager
def _borrowed(fd: int) -> Iterator[socket.socket]:
    borrowed = socket.socket(fileno=fd)
    try:
        yield borrowed
    finally:
        borrowed.detach()
