"""A server that says just the bytes that it is told to say, on a unix socket or a port."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

Script = Callable[[socket.socket, bytes], None]
"""Takes a connection and the head of the request that came through it; what it leaves open is closed."""


def http(status: int, body: bytes, kind: str = "application/json", **headers: str) -> bytes:
    """Return an answer of HTTP/1.1."""
    lines = [f"HTTP/1.1 {status} Some", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def saying(*pieces: bytes) -> Script:
    """Return a script that says these and hangs up."""

    def script(connection: socket.socket, _: bytes) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return script


class RawServer:
    """Runs a script for each connection, in a thread of its own.

    Args:
        script: may be set later, too, by one that needs the server.
        port: listen on a port instead.

    Attributes:
        path: of the unix socket.
        port: that it listens on, or 0.
        heads: of the requests that came.
        stop: is set at the end; a script that says nothing waits for it.
    """

    def __init__(self, script: Script, port: bool = False) -> None:
        self.script = script
        # Paths of unix sockets are short.
        self._home = tempfile.TemporaryDirectory(prefix="pw")
        self.path = str(Path(self._home.name, "s"))
        self.heads: list[bytes] = []
        self.stop = threading.Event()
        self._listening = socket.socket(socket.AF_INET if port else socket.AF_UNIX)
        self._listening.bind(("127.0.0.1", 0) if port else self.path)
        self.port = self._listening.getsockname()[1] if port else 0
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> RawServer:
        self._listening.listen(100)
        self._begin(self._serve)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(5)
        self._home.cleanup()

    def silent(self, connection: socket.socket, _: bytes) -> None:
        """Be a script that never says anything."""
        self.stop.wait(30)

    def _begin(self, run: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._begin(self._talk, connection)

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
                head += piece
            self.heads.append(head)
            try:
                self.script(connection, head)
            except OSError:
                # The client had heard enough.
                return
