"""lockload.py PORT CONNECTIONS SECONDS WHAT: ask a lock server over keep-alive connections, print JSON.

WHAT is ``keepalive`` (each connection keeps a lease of its own), ``acquire`` (a lease and its release, in
turn), or ``refused`` (all ask for a lock that another holds). Each connection sends its next request once it
has the whole answer to the last; each request is timed from its first byte sent to its answer's last byte
received.
"""

from __future__ import annotations

import gc
import json
import select
import socket
import sys
import time
import uuid

from tests.benchmarks.httpload import answer_length, percentile

TTL = "10s"


def request(path: str, body: bytes) -> bytes:
    """Write a request."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nx-lease-ttl: {TTL}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Client:
    """One connection, and what it sends next."""

    def __init__(self, port: int, what: str, key: str) -> None:
        """Connect, and get a lease if one is to be kept."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lease = request("/lease", json.dumps({"key": key, "value": key}).encode())
        self._what = what
        self._next = self._lease
        self.received = b""
        self.asked_ns = 0
        if what != "refused":
            self.ask()
            while not self.answered():
                continue
            self.turn()

    def ask(self) -> None:
        """Send the next request."""
        self.received = b""
        self.asked_ns = time.monotonic_ns()
        self.socket.sendall(self._next)

    def answered(self) -> bool:
        """Take what came; whether the answer is whole now."""
        chunk = self.socket.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed a keep-alive connection")
        self.received += chunk
        length = answer_length(self.received)
        return length is not None and len(self.received) >= length

    def turn(self) -> bool:
        """Find out what comes next; whether the answer was what it should be."""
        code = self.received[9:12]
        if code == b"201":
            path = "/keepalive" if self._what == "keepalive" else "/release"
            self._next = request(path, self.received.partition(b"\r\n\r\n")[2])
        elif self._what == "acquire":
            self._next = self._lease
        return code in ((b"202",) if self._what == "refused" else (b"200", b"201"))


def load(port: int, count: int, seconds: float, what: str) -> dict[str, float]:
    """Ask for so many seconds."""
    mark = uuid.uuid4().hex
    holder = Client(port, "keepalive", mark) if what == "refused" else None
    keys = [mark if holder else f"{mark}-{number}" for number in range(count)]
    clients = {one.socket.fileno(): one for one in (Client(port, what, key) for key in keys)}
    ready = select.epoll()
    for number, client in clients.items():
        ready.register(number, select.EPOLLIN)
        client.ask()
    times: list[int] = []
    wrong, started = 0, time.monotonic_ns()
    until = started + int(seconds * 1e9)
    while (now := time.monotonic_ns()) < until:
        for number, _ in ready.poll((until - now) / 1e9):
            client = clients[number]
            if client.answered():
                times.append(time.monotonic_ns() - client.asked_ns)
                wrong += not client.turn()
                client.ask()
    took = (time.monotonic_ns() - started) / 1e9
    times.sort()
    return {
        "rate": len(times) / took,
        "p50_ms": percentile(times, 0.5) / 1e6,
        "p99_ms": percentile(times, 0.99) / 1e6,
        "wrong": wrong,
    }


if __name__ == "__main__":
    gc.disable()
    sys.stdout.write(json.dumps(load(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])))
