"""Targets of /prommerge that are real HTTP servers, the good ones and those that misbehave."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

Manner = Callable[[socket.socket, bytes], None]
"""Answers one request, given its head; what it leaves open stays open for the next one."""


def answering(
    body: bytes, kind: str = "text/plain; version=0.0.4", status: str = "200 OK", more: str = ""
) -> Manner:
    """Say this."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(body)}\r\n\r\n"

    def answer(client: socket.socket, _: bytes) -> None:
        client.sendall(head.encode() + body)

    return answer


def packed(body: bytes) -> Manner:
    """Say this as gzip, which has to be asked for."""
    answer = answering(gzip.compress(body), more="Content-Encoding: gzip\r\n")

    def unless_not_wanted(client: socket.socket, head: bytes) -> None:
        (answer if b"gzip" in head.lower() else answering(b"", status="406 Not wanted"))(client, head)

    return unless_not_wanted


def hang(client: socket.socket, _: bytes) -> None:
    """Say nothing until the client goes."""
    client.settimeout(60)
    client.recv(1)


def trickle(client: socket.socket, _: bytes) -> None:
    """Send one byte after the other, for ever."""
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        client.sendall(b"x")
        time.sleep(0.05)


def flood(client: socket.socket, _: bytes) -> None:
    """Send 100 MB."""
    line = b'flood{a="b"} 1\n' * 4096
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(100_000_000 // len(line)):
        client.sendall(line)


def cut(client: socket.socket, _: bytes) -> None:
    """Promise more than is sent."""
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf 1\nhal")
    client.close()


def rude(client: socket.socket, _: bytes) -> None:
    """Close without a word."""
    client.close()


BOMB = answering(gzip.compress(b"bomb 1\n" * 15_000_000), more="Content-Encoding: gzip\r\n")
"""100 kB that become 105 MB."""


class Target:
    """One server on a free port of 127.0.0.1; a context manager.

    Attributes:
        heads: the heads of all requests.
        open: connections that are open now.
    """

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self.heads: list[bytes] = []
        self.open: set[socket.socket] = set()

    def __enter__(self) -> Target:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in tuple(self.open):
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        """Where its metrics are."""
        return f"http://localhost:{self.port}/metrics"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self.open.add(client)
        with suppress(OSError), client:
            head = b""
            while data := client.recv(65536):
                head += data
                if head.endswith(b"\r\n\r\n"):
                    self.heads.append(head)
                    self.manner(client, head)
                    head = b""
        self.open.discard(client)
