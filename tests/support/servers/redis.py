"""A Redis of two commands, AUTH and PING, for the example probe; this file is the launcher and the program.

Run as a program: ``python -P redis.py PORT PASSWORD``. It writes ``ready`` once it listens.
"""

from __future__ import annotations

import socketserver
import subprocess
import sys
from types import TracebackType


class RedisServer:
    """The server in a process of its own; a context manager that leaves nothing running."""

    def __init__(self, port: int, password: str) -> None:
        self._words = [sys.executable, "-P", __file__, str(port), password]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RedisServer:
        self._process = process = subprocess.Popen(
            self._words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n", "the Redis server did not start"
        return self

    def signal(self, number: int) -> None:
        """Send a signal to this very process."""
        assert self._process is not None
        self._process.send_signal(number)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Client(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """Answer until the client leaves."""
        allowed = False
        while words := self._command():
            if words[0] == b"AUTH":
                allowed = words[1:] == [sys.argv[2].encode()]
                answer = (
                    b"+OK" if allowed else b"-WRONGPASS invalid username-password pair or user is disabled."
                )
            elif not allowed:
                answer = b"-NOAUTH Authentication required."
            else:
                answer = b"+PONG" if words == [b"PING"] else b"-ERR unknown command"
            self.wfile.write(answer + b"\r\n")

    def _command(self) -> list[bytes]:
        head = self.rfile.readline()
        words = []
        for _ in range(int(head[1:]) if head else 0):
            length = int(self.rfile.readline()[1:])
            words.append(self.rfile.read(length))
            self.rfile.readline()
        return words


class Server(socketserver.ThreadingTCPServer):
    """Listens again at once after it was killed."""

    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Client) as server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()
