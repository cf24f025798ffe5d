"""A server beside procwrap that hears requests and answers as a test says."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import NamedTuple

from tests.support.hosted import PATIENCE


class Heard(NamedTuple):
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    at: float


class Talk(BaseHTTPRequestHandler):
    """One request, to be answered by a manner."""

    protocol_version = "HTTP/1.1"
    server: Beside

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Say this."""
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self) -> None:
        """Suffer those who go without a word."""
        with suppress(OSError):
            super().handle_one_request()

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Take every method: each is looked up as ``do_GET`` and the like."""
        if not name.startswith("do_"):
            raise AttributeError(name)
        return self._hear

    def _hear(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.heard.append(Heard(self.command, self.path, headers, time.monotonic()))
        self.server.manner(self)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


Manner = Callable[[Talk], None]


def answering(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Manner:
    """Say this to everybody."""
    return lambda talk: talk.answer(status, body, headers)


def hang(talk: Talk) -> None:
    """Say nothing until the client goes, or all is over."""
    while not talk.server.over.is_set():
        # It has said all that it had to say.
        if select.select([talk.connection], [], [], 0.05)[0]:
            break
    talk.close_connection = True


def rude(talk: Talk) -> None:
    """Close without a word."""
    talk.close_connection = True


def flood(talk: Talk) -> None:
    """Send 50 MB."""
    talk.send_response_only(200)
    talk.send_header("Content-Length", "50000000")
    talk.end_headers()
    for _ in range(500):
        talk.wfile.write(b"x" * 100_000)


class Beside(ThreadingHTTPServer):
    """Listens on a port of 127.0.0.1; a context manager.

    Attributes:
        manner: answers every request; may be exchanged any time.
        heard: all requests so far.
        over: set when the test is.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, manner: Manner = answering(200)) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.manner = manner
        self.heard: list[Heard] = []
        self.over = Event()

    def __enter__(self) -> Beside:
        Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever is cut off is no news."""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def of(self, path: str) -> list[Heard]:
        """Return the requests for a path, its query left out."""
        return [heard for heard in tuple(self.heard) if heard.path.partition("?")[0] == path]

    def wait_for(self, path: str, count: int = 1, seconds: float = PATIENCE) -> list[Heard]:
        """Wait for so many requests for a path."""
        deadline = time.monotonic() + seconds
        while len(found := self.of(path)) < count:
            assert time.monotonic() < deadline, f"no {path}: {self.heard}"
            time.sleep(0.01)
        return found
