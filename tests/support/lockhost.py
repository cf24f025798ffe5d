"""A real lock server in a process of its own, and a client that asks it as any HTTP client would."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.support.hosted import PATIENCE, Hosted, free_port
from tests.support.procfs import eventually


@frozen
class Said:
    """An answer."""

    code: int
    body: str
    headers: Mapping[str, str]

    @property
    def ttl(self) -> float:
        """Seconds that were granted."""
        found = re.fullmatch(r"(\d+)ms", self.headers["x-lease-ttl"])
        assert found is not None
        return int(found[1]) / 1000

    @property
    def token(self) -> int:
        """The fencing token."""
        return int(self.headers["x-fencing-token"])

    @property
    def json(self) -> Any:
        """The body of an error or a list."""
        return json.loads(self.body)


class LockClient:
    """Asks one server, each time over a connection of its own.

    Args:
        port: on 127.0.0.1.
        patience: seconds for an answer.
    """

    def __init__(self, port: int, patience: float = PATIENCE) -> None:
        self.port = port
        self.patience = patience

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Said:
        """Send any request; ``x_lease_ttl`` is the header ``x-lease-ttl``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.patience)
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Said(answer.status, answer.read().decode(), found)
        finally:
            connection.close()

    def lease(self, key: str, value: str = "pod-1", ttl: str = "2s", **headers: str) -> Said:
        """Ask for a lock."""
        body = json.dumps({"key": key, "value": value, "labels": {"app": "test"}, "timestamp": "now"})
        return self.ask("POST", "/lease", body.encode(), x_lease_ttl=ttl, **headers)

    def keep(self, lease: str) -> int:
        """Keep a lease alive; return the status."""
        return self.ask("POST", "/keepalive", lease.encode()).code

    def release(self, lease: str) -> int:
        """Give a lease back; return the status."""
        return self.ask("POST", "/release", lease.encode()).code

    def until_acquired(self, key: str, value: str, ttl: str = "2s", seconds: float = PATIENCE) -> Said:
        """Ask again and again, whatever comes, until the lock is there."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if (said := self.lease(key, value, ttl)).code == 201:
                    return said
            except (OSError, http.client.HTTPException):
                said = Said(0, "no answer", {})
            assert time.monotonic() < deadline, said
            time.sleep(0.02)


class LockHost(LockClient):
    """A lock server that runs; a context manager that leaves nothing running.

    Args:
        home: for its output.
        options: after ``--shared-lock``.
        environment: added to ours.
        prefix: words before the command.
        port: where it listens; None for a free one.
    """

    def __init__(
        self,
        home: Path,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
        port: int | None = None,
    ) -> None:
        super().__init__(port or free_port())
        home.mkdir(exist_ok=True)
        where = {"SHARED_LEASE_SOCKET": f"127.0.0.1:{self.port}", **(environment or {})}
        self.hosted = Hosted(home, None, ["--shared-lock", *options], where, prefix)

    def __enter__(self) -> LockHost:
        self.hosted.until(lambda: self.hosted.said("the lock server listens"))
        return self

    def __exit__(self, *error: object) -> None:
        self.hosted.__exit__(*error)

    def kill(self) -> None:
        """End it without a word, stopped or not."""
        self.hosted.process.kill()
        self.hosted.process.wait()

    def granting(self) -> LockHost:
        """Wait until a server without a past grants something."""
        said = eventually(lambda: (found := self.lease("first", ttl="1s")).code == 201 and found)
        assert self.release(said.body) == 200
        return self
