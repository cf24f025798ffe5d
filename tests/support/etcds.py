"""An etcd's gateway in a test's hands: what it is asked, and what it answers, over treq and in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from treq.testing import RequestTraversalAgent
from twisted.internet.task import Clock
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from procwrap.lock.stores.etcdclient import make_client
from procwrap.lock.stores.etcdgateway import Gateway
from procwrap.sinks.postwire import WholeBody

Answerer = Callable[[str, str, list[dict[str, Any]]], Any]
"""Given the member's host, the path and the messages: objects to answer with, an HTTP status with them in a
pair, or None for no answer at all."""


def header(term: int = 2, revision: int = 7) -> dict[str, str]:
    """Return the header of an answer."""
    return {"revision": str(revision), "raft_term": str(term)}


class _Member(Resource):
    isLeaf = True  # noqa: N815

    def __init__(self, answerer: Answerer) -> None:
        super().__init__()
        self._answerer = answerer

    def render_POST(self, request: Any) -> Any:
        texts = request.content.read().replace(b"}{", b"}\n{").splitlines()
        host = request.getHeader("host").partition(":")[0]
        said = self._answerer(host, request.path.decode(), [json.loads(text) for text in texts])
        if said is None:
            return NOT_DONE_YET
        status, objects = said if isinstance(said, tuple) else (200, said)
        request.setResponseCode(status)
        if isinstance(objects, bytes):
            return objects
        return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


class FakeEtcd:
    """A cluster of members ``a`` and ``b`` whose answers a test gives.

    Attributes:
        asked: host, path and messages of each request.
    """

    def __init__(self, answerer: Answerer, members: str = "ab") -> None:
        self.clock = Clock()
        self.asked: list[tuple[str, str, list[dict[str, Any]]]] = []
        self._answerer = answerer
        self.agent = RequestTraversalAgent(_Member(self._answer))
        endpoints = [f"http://{name}:2379" for name in members]
        self.gateway = Gateway(endpoints, make_client(self.agent, WholeBody), self.clock, str)

    def _answer(self, host: str, path: str, messages: list[dict[str, Any]]) -> Any:
        self.asked.append((host, path, messages))
        return self._answerer(host, path, messages)

    def flush(self) -> None:
        """Let what was written arrive."""
        self.agent.flush()

    def paths(self) -> list[str]:
        """Return what was asked, without ``/v3/``."""
        return [path.removeprefix("/v3/") for _, path, _ in self.asked]
