"""A server that takes events, as they really arrive."""

from __future__ import annotations

import json
import socket
import time
from typing import Any, NamedTuple

PATIENCE = 30.0


class Told(NamedTuple):
    """One event that arrived."""

    name: str
    labels: dict[str, str]
    raw: bytes
    op: str
    value: int


class UdpServer:
    """Listens on a port of 127.0.0.1; a context manager."""

    def __init__(self, port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
        self.socket.bind(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.port = int(self.socket.getsockname()[1])
        self.told: list[Told] = []

    def __enter__(self) -> UdpServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def receive(self) -> list[Told]:
        """Take what has arrived; return all so far."""
        while True:
            try:
                raw = self.socket.recv(65536)
            except BlockingIOError:
                return self.told
            event: dict[str, Any] = json.loads(raw)
            assert list(event) == ["name", "labels", "op", "value"]
            # Only that we are preempted is counted by the server, too.
            assert (event["op"], event["value"]) == ("event", 1) or event["name"] == "preempted"
            self.told.append(Told(event["name"], event["labels"], raw, event["op"], event["value"]))

    def of(self, name: str) -> list[dict[str, str]]:
        """Return the labels of all events of a name so far."""
        return [told.labels for told in self.receive() if told.name == name]

    def wait_for(self, name: str, count: int = 1, seconds: float = PATIENCE) -> list[dict[str, str]]:
        """Wait for so many events of a name."""
        deadline = time.monotonic() + seconds
        while len(found := self.of(name)) < count:
            assert time.monotonic() < deadline, f"no {name}: {self.told}"
            time.sleep(0.01)
        return found

    def signals(self) -> list[str]:
        """Return the signals of all termination events."""
        return [labels["signal"] for labels in self.of("termination")]
