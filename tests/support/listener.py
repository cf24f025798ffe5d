"""A client of server-sent events over a real connection, that reads only when it is told to."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.following import Body, Told, events
from tests.support.hosted import PATIENCE


class Listener:
    """Follows something; a context manager.

    Args:
        where: a port of this machine, or the path of a unix socket.
        target: what it follows.
        token: what it shows.
        last: the id of the last event that it has seen.
        room: bytes that the kernel keeps for it; None is as usual.

    Attributes:
        told: what it was told so far.
    """

    def __init__(
        self,
        where: int | Path,
        target: str,
        token: str | None = None,
        last: str | None = None,
        room: int | None = None,
    ) -> None:
        self.told: list[Told] = []
        self._head = b""
        self._body = Body()
        self._read = 0
        self._kind = socket.AF_UNIX if isinstance(where, Path) else socket.AF_INET
        self._socket = socket.socket(self._kind)
        if room is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(str(where) if isinstance(where, Path) else ("127.0.0.1", where))
        lines = [f"GET {target} HTTP/1.1", "Host: x"]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        if last is not None:
            lines.append(f"Last-Event-ID: {last}")
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def vanish(self) -> None:
        """Be gone without a word of farewell."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    @property
    def status(self) -> int:
        """The status of the answer; waits for it."""
        while b"\r\n\r\n" not in self._head:
            self._receive(time.monotonic() + PATIENCE)
        return int(self._head[9:12])

    @property
    def is_whole(self) -> bool:
        """Whether the server has said that nothing more comes."""
        return self._body.is_whole

    def until(self, seen: Callable[[Told], Any], seconds: float = PATIENCE) -> Told:
        """Read until something is told, and return that; also what was told before counts."""
        deadline = time.monotonic() + seconds
        looked = 0
        while True:
            for told in self.told[looked:]:
                if seen(told):
                    return told
            looked = len(self.told)
            self._receive(deadline)

    def end(self, seconds: float = PATIENCE) -> None:
        """Wait until the server says that nothing more comes."""
        deadline = time.monotonic() + seconds
        while not self.is_whole:
            self._receive(deadline)

    def rest(self, seconds: float = PATIENCE) -> list[Told]:
        """Read to the end of the connection; return all that was told."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._receive(deadline)
        except ConnectionError:
            return self.told

    def _receive(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        assert left > 0, f"not told: {self.told[-3:]}"
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(1 << 20)
        except TimeoutError:
            raise AssertionError(f"not told: {self.told[-3:]}") from None
        if not data:
            raise ConnectionAbortedError(f"ended; told: {self.told[-3:]}")
        if b"\r\n\r\n" not in self._head:
            head, blank, data = (self._head + data).partition(b"\r\n\r\n")
            self._head = head + blank
        self._body.take(data)
        end = self._body.data.rfind(b"\n\n") + 2
        if end > self._read:
            self.told += events(bytes(self._body.data[self._read : end]))
            self._read = end
