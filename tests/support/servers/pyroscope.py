"""A server that takes profiles as Pyroscope does, or misbehaves."""

from __future__ import annotations

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class Pyroscope:
    """Listens on a free port of 127.0.0.1; a context manager.

    Args:
        status: of every answer; 0 for none at all.

    Attributes:
        paths: of all requests.
        logins: their Authorization headers.
        profiles: what they brought, unpacked.
    """

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.paths: list[str] = []
        self.logins: list[str | None] = []
        self.profiles: list[bytes] = []
        self._over = threading.Event()

    def __enter__(self) -> Pyroscope:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._answering())
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, path: str, login: str | None, body: bytes) -> int:
        """Keep one request; return the status of its answer."""
        self.paths.append(path)
        self.logins.append(login)
        if body:
            self.profiles.append(gzip.decompress(body))
        if not self.status:
            self._over.wait()
        return self.status

    def _answering(self) -> type[BaseHTTPRequestHandler]:
        take = self.take

        class Answer(BaseHTTPRequestHandler):
            """Answers one request."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status = take(self.path, self.headers.get("Authorization"), body)
                if status:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Answer
