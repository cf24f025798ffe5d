"""The API server in memory: the real client and the Cluster of servers/kubernetes.py, no wire between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.defer import succeed
from twisted.internet.task import Clock

from procwrap.core.events import Level
from procwrap.pod.apiserver import ApiServer
from procwrap.pod.credentials import ServiceAccount
from procwrap.pod.kubernetes import PodWatch, Sight
from procwrap.pod.outage import Outage
from tests.support.servers.kubernetes import NAMESPACE, Cluster


class MemoryApi:
    """A cluster, and what watches one of its Pods.

    Args:
        home: for the files of the service account.
        pod: the Pod that there is.

    Attributes:
        watch: of that Pod.
        told: what the log was told.
        sights: what a follower has seen; it follows once ``follow`` was called.
    """

    def __init__(self, home: Path, pod: dict[str, Any] | None = None) -> None:
        self.clock = Clock()
        self.cluster = Cluster(self.clock, pod)
        self.account = home
        (home / "token").write_text("token-1\n")
        self.agent: Any = RequestTraversalAgent(self.cluster.app.resource())
        self.told: list[tuple[Level, str]] = []
        self.sights: list[Sight] = []
        self.api = ApiServer(
            self.agent,
            ServiceAccount(str(home)),
            self.clock,
            "http://kubernetes",
            NAMESPACE,
            "job-1",
            lambda error: "connection refused",
        )
        outage = Outage("job-1", self.clock, lambda level, text: self.told.append((level, text)))
        self.watch = PodWatch("job-1", lambda: succeed(self.api), self.clock, lambda: 1.0, outage)

    def follow(self) -> Any:
        """Follow the Pod; return what ends it."""
        forget = self.watch.follow(self.sights.append)
        self.settle()
        return forget

    def settle(self, seconds: float = 0.0) -> None:
        """Let everything arrive that is under way, and time pass."""
        self.clock.advance(seconds)
        self.agent.flush()
        self.clock.advance(0)
        self.agent.flush()

    def fall_behind(self) -> None:
        """Let the server forget what happens while it cannot be asked."""
        self.cluster.status = 503
        self.cluster.cut()
        self.settle()
        self.cluster.touch()
        self.cluster.compact()
        self.cluster.status = 0

    def forget(self) -> None:
        """Keep nothing of what was, as far as the wire in memory and this class are concerned."""
        self.sights.clear()
        self.cluster.requests.clear()
        self.agent._memoryReactor.tcpClients.clear()
        self.agent._memoryReactor.connectors.clear()

    @property
    def sight(self) -> Sight:
        """What was seen last."""
        return self.sights[-1]

    def doing(self, container: str = "proxy") -> str:
        """Return what one container does, as far as it is known."""
        pod = self.watch.sight.pod
        assert pod is not None
        found = pod.container(container)
        assert found is not None
        return found.doing
