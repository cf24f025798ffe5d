"""A real etcd of one or several members, each a process with its own directory and ports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.support.hosted import free_port
from tests.support.procfs import eventually

MISSING = "etcd is missing, which the tests need as a real server: apt-get install etcd-server"


def available() -> bool:
    """Tell whether etcd is installed; where CI is set it has to be."""
    found = shutil.which("etcd") is not None
    assert found or not os.environ.get("CI"), MISSING
    return found


class Member:
    """One member of a cluster.

    Args:
        name: within the cluster.
        home: for its data and its log.
        tls: files of the authority, the certificate and the key, if it speaks TLS to clients.
        hasty: a new leader is elected sooner than by default, so that tests need not wait.
    """

    def __init__(self, name: str, home: Path, tls: tuple[Path, Path, Path] | None, *, hasty: bool) -> None:
        self._hasty = hasty
        self.name = name
        self.home = home
        self.peer = f"http://127.0.0.1:{free_port()}"
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{free_port()}"
        self.process: subprocess.Popen[bytes] | None = None
        self._tls = tls

    def start(self, cluster: str) -> None:
        """Start, or start again with what it remembers."""
        words = {
            "name": self.name,
            "data-dir": str(self.home / self.name),
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "listen-peer-urls": self.peer,
            "initial-advertise-peer-urls": self.peer,
            "initial-cluster": cluster,
        }
        if self._hasty:
            # etcd wants the one to be five to ten times the other.
            words |= {"heartbeat-interval": "50", "election-timeout": "500"}
        if self._tls is not None:
            authority, certificate, key = map(str, self._tls)
            words |= {"trusted-ca-file": authority, "cert-file": certificate, "key-file": key}
        options = [f"--{name}={value}" for name, value in words.items()]
        options += ["--client-cert-auth", "--unsafe-no-fsync"] if self._tls else []
        with open(self.home / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                ["etcd", *options], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it without a word, stopped or not."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def ask(self, path: str, **message: Any) -> dict[str, Any]:
        """Ask its gateway, without TLS."""
        request = Request(self.url + path, json.dumps(message).encode())
        with urlopen(request, timeout=5) as response:
            found: dict[str, Any] = json.load(response)
        return found


class Etcd:
    """A cluster; a context manager that leaves nothing behind."""

    def __init__(
        self, size: int = 1, tls: tuple[Path, Path, Path] | None = None, *, hasty: bool = True
    ) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="procwrap-etcd-", dir="/tmp"))
        self.members = [Member(f"m{number}", self.home, tls, hasty=hasty) for number in range(size)]
        self._tls = tls

    @property
    def environment(self) -> dict[str, str]:
        """What a lock server has to know."""
        return {"SHARED_LEASE_ETCD_ENDPOINTS": ",".join(member.url for member in self.members)}

    @property
    def cluster(self) -> str:
        """What each member is told of all."""
        return ",".join(f"{member.name}={member.peer}" for member in self.members)

    def leader(self) -> Member:
        """Return the member that leads."""

        def found() -> Member | None:
            for member in self.members:
                if member.process is None:
                    continue
                try:
                    said = member.ask("/v3/maintenance/status")
                except OSError:
                    continue
                if said.get("leader") and said["leader"] == said["header"]["member_id"]:
                    return member
            return None

        leader: Member = eventually(found)
        return leader

    def __enter__(self) -> Etcd:
        for member in self.members:
            member.start(self.cluster)
        if self._tls is None:
            self.leader()
        return self

    def __exit__(self, *error: object) -> None:
        for member in self.members:
            member.kill()
        shutil.rmtree(self.home, ignore_errors=True)
