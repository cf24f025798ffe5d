"""Kubernetes' API server, as far as it tells about Pods: a Klein app, its launcher and the program.

Run as a program: ``python kubernetes.py HOST CERTIFICATE KEY``. It serves HTTPS on one port and takes orders
on another one of 127.0.0.1, and writes both ports once it listens.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import Request, urlopen

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.web.iweb import IRequest

from tests.support.certificates import Authority
from tests.support.checkout import ROOT
from tests.support.pods import make_pod, put, terminated

NAMESPACE = "shop"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:job"


class _Watcher:
    """One watch that goes on."""

    def __init__(self, request: Any, name: str, piece: int) -> None:
        self.request = request
        self.name = name
        self.piece = piece
        self.done: Deferred[None] = Deferred()

    def send(self, line: bytes) -> None:
        """Send one change, in pieces if need be."""
        size = self.piece or len(line)
        for start in range(0, len(line), size):
            self.request.write(line[start : start + size])

    def end(self) -> None:
        """End the answer as a server does whose time is over."""
        if not self.done.called:
            self.done.callback(None)


class Cluster:
    """The Pods of one namespace, what happened to them, and the moods of who tells about it.

    Versions, lists, watches, bookmarks and errors are those of
    https://kubernetes.io/docs/reference/using-api/api-concepts/.

    Attributes:
        clock: makes answers late and ends watches.
        tokens: those that are known.
        forbidden: verbs that the Role does not have.
        silent: requests are never answered.
        delay: seconds before each answer.
        status: the status of each answer instead of the right one.
        gone_as: how a version that is forgotten is told: by a ``status`` 410 or in the ``stream``.
        piece: bytes that are written at a time; 0 for whole lines.
        requests: what was asked so far.
    """

    app = Klein()

    def __init__(self, clock: Any, pod: dict[str, Any] | None = None) -> None:
        self.clock = clock
        self.watchers: list[_Watcher] = []
        self.reset(pod or make_pod())

    def reset(self, pod: dict[str, Any]) -> None:
        """Forget everything, and begin anew with one Pod."""
        self.cut()
        self.tokens = ["token-1"]
        self.forbidden: list[str] = []
        self.silent = False
        self.delay = 0.0
        self.status = 0
        self.gone_as = "stream"
        self.piece = 0
        self.requests: list[dict[str, str]] = []
        self._version = 1000
        self._oldest = 1000
        self._history: list[tuple[int, str, bytes]] = []
        self._pods: dict[str, dict[str, Any]] = {}
        self.create(pod)

    # What happens to Pods.

    def create(self, pod: dict[str, Any]) -> None:
        """Add a Pod."""
        self._pods[pod["metadata"]["name"]] = pod
        self._happen("ADDED", pod)

    def delete(self, name: str = "job-1") -> None:
        """Remove a Pod."""
        self._happen("DELETED", self._pods.pop(name))

    def put(self, container: str, state: dict[str, Any], ready: bool = False, name: str = "job-1") -> None:
        """Put one container into a state."""
        self._happen("MODIFIED", put(self._pods[name], container, state, ready=ready))

    def ready(self, *containers: str) -> None:
        """Let containers be ready."""
        for container in containers:
            self.put(container, {"running": {}}, ready=True)

    def touch(self, name: str = "job-1", count: int = 1) -> None:
        """Change something that means nothing to us."""
        for _ in range(count):
            self._happen("MODIFIED", self._pods[name])

    def pass_by(self, count: int) -> None:
        """Let other things happen in the cluster: the version grows, and no watch hears of it."""
        self._version += count

    # What happens to those who watch.

    def bookmark(self) -> None:
        """Tell all who watch the version of now."""
        about = {"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": str(self._version)}}
        for watcher in tuple(self.watchers):
            watcher.send(_change("BOOKMARK", about))

    def compact(self) -> None:
        """Forget everything that happened until now."""
        self._oldest = self._version
        self._history.clear()

    def expire(self) -> None:
        """Forget everything, and tell all who watch that they are too far behind."""
        self.compact()
        for watcher in tuple(self.watchers):
            watcher.send(_change("ERROR", _status(410, "Expired", "too old resource version")))
            watcher.end()

    def fail(self, code: int, reason: str) -> None:
        """Tell all who watch of another error."""
        for watcher in tuple(self.watchers):
            watcher.send(_change("ERROR", _status(code, reason, "etcdserver: no leader")))
            watcher.end()

    def say(self, text: str) -> None:
        """Send all who watch something else."""
        for watcher in tuple(self.watchers):
            watcher.request.write(text.encode())

    def end(self) -> None:
        """End all watches as a server does whose time is over."""
        for watcher in tuple(self.watchers):
            watcher.end()

    def cut(self) -> None:
        """Break the connections of all who watch."""
        for watcher in tuple(self.watchers):
            watcher.request.transport.abortConnection()

    def set(self, mood: str, value: Any) -> None:
        """Change one of the moods."""
        assert mood in {"tokens", "forbidden", "silent", "delay", "status", "gone_as", "piece"}
        setattr(self, mood, value)

    def count(self, verb: str = "") -> int:
        """Return how many requests there were."""
        return sum(asked["verb"] == verb or not verb for asked in self.requests)

    def watching(self) -> int:
        """Return how many watches go on."""
        return len(self.watchers)

    # What is asked.

    @app.route("/api/v1/namespaces/<namespace>/pods")
    def pods(self, request: IRequest, namespace: str) -> Any:
        """List, or watch."""
        said = {name.decode(): values[0].decode() for name, values in request.args.items()}
        verb = "watch" if said.get("watch") in ("1", "true") else "list"
        bearer = request.getHeader("authorization") or ""
        self.requests.append({"verb": verb, "token": bearer.removeprefix("Bearer "), **said})
        if self.silent:
            return Deferred()
        if self.delay:
            return deferLater(self.clock, self.delay, self._answer, request, namespace, verb, said)
        return self._answer(request, namespace, verb, said)

    def _answer(self, request: Any, namespace: str, verb: str, said: Mapping[str, str]) -> Any:
        refusal = self._refusal(request, namespace, verb)
        if refusal is not None:
            return _send(request, refusal["code"], refusal)
        field, _, name = said.get("fieldSelector", "").partition("=")
        if field != "metadata.name":
            return _send(request, 400, _status(400, "BadRequest", "field label not supported"))
        return self._watch(request, name, said) if verb == "watch" else self._list(request, name)

    def _refusal(self, request: Any, namespace: str, verb: str) -> dict[str, Any] | None:
        if self.status:
            return _status(self.status, "ServiceUnavailable", "the server is currently unable to answer")
        token = (request.getHeader("authorization") or "").removeprefix("Bearer ")
        if token not in self.tokens:
            return _status(401, "Unauthorized", "Unauthorized")
        if namespace != NAMESPACE or verb in self.forbidden:
            text = (
                f'pods is forbidden: User "{ACCOUNT}" cannot {verb} resource "pods" in API group "" '
                f'in the namespace "{namespace}"'
            )
            return _status(403, "Forbidden", text)
        return None

    def _list(self, request: Any, name: str) -> Any:
        items = [self._pods[name]] if name in self._pods else []
        metadata = {"resourceVersion": str(self._version)}
        return _send(
            request, 200, {"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}
        )

    def _watch(self, request: Any, name: str, said: Mapping[str, str]) -> Any:
        version = int(said.get("resourceVersion", "0"))
        if version > self._version:
            return _send(request, 504, _status(504, "Timeout", "Too large resource version"))
        if version < self._oldest and self.gone_as == "status":
            return _send(request, 410, _status(410, "Expired", "too old resource version"))
        request.setHeader("Content-Type", "application/json")
        request.write(b"")
        watcher = _Watcher(request, name, self.piece)
        self.watchers.append(watcher)
        timer = self.clock.callLater(float(said.get("timeoutSeconds", "1800")), watcher.end)

        def over(result: Any) -> None:
            self.watchers.remove(watcher)
            if timer.active():
                timer.cancel()

        request.notifyFinish().addErrback(lambda _: watcher.end())
        if version < self._oldest:
            watcher.send(_change("ERROR", _status(410, "Expired", "too old resource version")))
            watcher.end()
        else:
            for happened, about, line in self._history:
                if happened > version and about == name:
                    watcher.send(line)
        return watcher.done.addBoth(over).addCallback(lambda _: b"")

    def _happen(self, kind: str, pod: dict[str, Any]) -> None:
        self._version += 1
        pod["metadata"]["resourceVersion"] = str(self._version)
        name, line = pod["metadata"]["name"], _change(kind, pod)
        self._history.append((self._version, name, line))
        if len(self._history) > 1000:
            self._oldest = self._history.pop(0)[0]
        for watcher in tuple(self.watchers):
            if watcher.name == name:
                watcher.send(line)


def _change(kind: str, about: Mapping[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": about}).encode() + b"\n"


def _status(code: int, reason: str, message: str) -> dict[str, Any]:
    about = {"status": "Failure", "code": code, "reason": reason, "message": message}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, **about}


def _send(request: Any, code: int, body: Mapping[str, Any]) -> bytes:
    request.setResponseCode(code)
    request.setHeader("Content-Type", "application/json")
    return json.dumps(body).encode()


class KubernetesServer:
    """The API server in a process of its own, behind TLS with an authority of its own; a context manager.

    Args:
        home: for its files, and those of the service account.
        host: the address that it listens on, and that its certificate is for.
    """

    def __init__(self, home: Path, host: str = "127.0.0.1") -> None:
        self.host = host
        self.account = home / "serviceaccount"
        self.account.mkdir()
        authority = Authority(home, "kubernetes")
        files = authority.issue("apiserver", [host])
        (self.account / "ca.crt").write_bytes(authority.file.read_bytes())
        (self.account / "namespace").write_text(NAMESPACE)
        self.write_token("token-1")
        self._words = [sys.executable, __file__, host, *map(str, files)]
        self._process: subprocess.Popen[bytes] | None = None

    def write_token(self, token: str) -> None:
        """Replace the token, as the kubelet does."""
        new = self.account / "token.new"
        new.write_text(token)
        new.rename(self.account / "token")

    def __enter__(self) -> KubernetesServer:
        self._process = subprocess.Popen(
            self._words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert self._process.stdout is not None
        ports = self._process.stdout.readline().split()
        assert len(ports) == 2, "the API server did not start"
        self.port, self._control = map(int, ports)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def signal(self, number: int) -> None:
        """Send a signal to this very process."""
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def environment(self) -> dict[str, str]:
        """What a container in this cluster is told."""
        return {
            "KUBERNETES_SERVICE_HOST": self.host,
            "KUBERNETES_SERVICE_PORT": str(self.port),
            "PROCWRAP_SERVICE_ACCOUNT_DIR": str(self.account),
            "POD_NAME": "job-1",
            "HOSTNAME": "some-node",
            # What the machine of the test is called is of no account.
            "CONTAINER_NAME": "",
            "POD_NAMESPACE": "",
        }

    @property
    def quit_url(self) -> str:
        """Where the container ``proxy`` is told to end."""
        return f"http://127.0.0.1:{self._control}/quit"

    def begin(self, *containers: str, **about: Any) -> None:
        """Begin anew with such a Pod (``make_pod``) and the first token."""
        self.write_token("token-1")
        self.do("reset", make_pod(containers or ("main", "proxy"), **about))

    def do(self, order: str, *arguments: Any) -> Any:
        """Let the Cluster do something; return what it returns."""
        body = json.dumps([order, arguments]).encode()
        with urlopen(Request(f"http://127.0.0.1:{self._control}/", body), timeout=30) as answer:
            return json.loads(answer.read())


class _Orders:
    """Takes orders to a Cluster over HTTP; is the container ``proxy``, too, which ends when it is told to."""

    app = Klein()

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @app.route("/", methods=["POST"])
    def order(self, request: Any) -> bytes:
        """Do what is asked."""
        order, arguments = json.loads(request.content.read())
        found: Callable[..., Any] | list[Any] = getattr(self._cluster, order)
        return json.dumps(found(*arguments) if callable(found) else found).encode()

    @app.route("/quit", methods=["POST"])
    def quit(self, request: Any) -> bytes:
        """End the proxy."""
        self._cluster.put("proxy", terminated())
        return b""


def _serve() -> None:
    from twisted.internet import reactor
    from twisted.internet.ssl import DefaultOpenSSLContextFactory
    from twisted.web.server import Site

    any_reactor: Any = reactor
    host, certificate, key = sys.argv[1:]
    cluster = Cluster(any_reactor)
    site: Any = Site(cluster.app.resource())
    tls = DefaultOpenSSLContextFactory(key, certificate)
    ports = [any_reactor.listenSSL(0, site, tls, interface=host)]
    ports.append(any_reactor.listenTCP(0, Site(_Orders(cluster).app.resource()), interface="127.0.0.1"))
    sys.stdout.write(" ".join(str(port.getHost().port) for port in ports) + "\n")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        any_reactor.run()


if __name__ == "__main__":
    _serve()
