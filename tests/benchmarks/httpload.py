"""httpload.py PORT CONNECTIONS SECONDS: ask for /readiness over keep-alive connections, print JSON.

Each connection sends its next request once it has the whole answer to the last; each request is timed from
its first byte sent to its answer's last byte received. Plain sockets and one epoll set: a client library
would cost more than the server.
"""

from __future__ import annotations

import gc
import json
import math
import select
import socket
import sys
import time

REQUEST = b"GET /readiness HTTP/1.1\r\nHost: localhost\r\n\r\n"


def answer_length(received: bytes) -> int | None:
    """How long the first answer in these bytes is in all; None while that cannot be said yet."""
    head, separator, _ = received.partition(b"\r\n\r\n")
    if not separator:
        return None
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    if b"content-length" in fields:
        return len(head) + 4 + int(fields[b"content-length"])
    end = received.find(b"0\r\n\r\n", len(head) + 4 - 1)
    return None if end < 0 else end + 5


def percentile(ordered: list[int], share: float) -> int:
    """The smallest value that at least this share of all are not above (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Connection:
    """One of the connections, and when its request left."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.asked_ns = 0

    def ask(self) -> None:
        """Send the next request."""
        self.received = b""
        self.asked_ns = time.monotonic_ns()
        self.socket.sendall(REQUEST)

    def answered(self) -> bool:
        """Take what came; whether the answer is whole now."""
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed a keep-alive connection")
        self.received += chunk
        length = answer_length(self.received)
        return length is not None and len(self.received) >= length


def load(port: int, count: int, seconds: float) -> dict[str, float]:
    """Ask for so many seconds."""
    connections = {one.socket.fileno(): one for one in (Connection(port) for _ in range(count))}
    ready = select.epoll()
    for number, connection in connections.items():
        ready.register(number, select.EPOLLIN)
        connection.ask()
    times: list[int] = []
    refused, started = 0, time.monotonic_ns()
    until = started + int(seconds * 1e9)
    while (now := time.monotonic_ns()) < until:
        for number, _ in ready.poll((until - now) / 1e9):
            connection = connections[number]
            if connection.answered():
                times.append(time.monotonic_ns() - connection.asked_ns)
                refused += not connection.received.startswith(b"HTTP/1.1 200")
                connection.ask()
    # A request that is still open has been waiting all this time: leaving it out would hide a hang.
    ended = time.monotonic_ns()
    longest = max(times, default=0)
    times += [ended - one.asked_ns for one in connections.values() if ended - one.asked_ns > longest]
    times.sort()
    found = {f"p{share}_ms": percentile(times, share / 100) / 1e6 for share in (50, 99)}
    rate = len(times) / ((ended - started) / 1e9)
    return {"requests": len(times), "refused": refused, "rate": rate, "max_ms": times[-1] / 1e6, **found}


if __name__ == "__main__":
    gc.disable()
    sys.stdout.write(json.dumps(load(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))) + "\n")
