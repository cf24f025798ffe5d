"""grpc probes against the real health service of grpcio."""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, inlineCallbacks

from procwrap.spec.probe import GrpcProbe
from tests.support.checkout import ROOT
from tests.support.hosted import Hosted, free_port, process
from tests.support.peers import OK
from tests.support.realprobes import TOLERANCE, RealProbes, Steps, sockets_open
from tests.support.servers import grpc_health
from tests.support.servers.grpc_health import GrpcServer

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not grpc_health.available(), reason=grpc_health.MISSING),
]

EXAMPLE = ROOT / "docs" / "examples" / "probes" / "grpc.yaml"
LONG = os.environ.get("PROCWRAP_LONG") == "1"
ROUNDS, WARM_UP = (20_000, 1_000) if LONG else (1_000, 300)
LONGEST = 900 if LONG else 120
"""Seconds that so many rounds may take."""
MOST_GROWTH = 2 * 1024 * 1024


@pytest.fixture(scope="module")
def shared() -> Iterator[GrpcServer]:
    """One server for all tests of this module; who stops it starts it again."""
    with GrpcServer(free_port()) as server:
        yield server


class GrpcTests(RealProbes):
    @pytest.fixture(autouse=True)
    def _server(self, shared: GrpcServer) -> None:
        self.server = shared

    def probe(self, service: str = "", *, port: int | None = None, timeout: float = 2.0) -> Any:
        """A probe of the server, or of another port."""
        return self.build(GrpcProbe("127.0.0.1", port or self.server.port, service, timeout))

    @inlineCallbacks
    def seen(self, *probes: Any) -> Any:
        """What the probes say they have seen; nothing when all was well."""
        results = yield self.look(*probes)
        return [
            result.reason.removeprefix(f"{probe.target}: ").removesuffix(", expected SERVING")
            for probe, result in zip(probes, results, strict=True)
        ]

    @inlineCallbacks
    def until_seen(self, said: str, *, timeout: float = 2.0) -> Steps:
        """Wait until a round says this."""
        for _ in range(200):
            [now] = yield self.seen(self.probe(timeout=timeout))
            if now == said:
                return
            yield self.wait(0.02)
        self.fail(f"never: {said!r}")

    @inlineCallbacks
    def test_statuses(self) -> Steps:
        """The server and each of its services are asked by name."""
        found = yield self.seen(*(self.probe(name) for name in (*grpc_health.SERVICES, "shop.Nix")))
        unknown = 'the server knows no health of "shop.Nix" (NOT_FOUND)'
        self.assertEqual(found, ["", "", "NOT_SERVING", "UNKNOWN", unknown])

    @inlineCallbacks
    def test_others(self) -> Steps:
        """A server without the health service, a web server, nobody: each is told apart."""
        with GrpcServer(free_port(), bare=True) as bare:
            peers = [self.peer(says) for says in (OK, None, b"+PONG\r\n")]
            ports = [bare.port, *(peer.port for peer in peers), free_port()]
            found = yield self.seen(*(self.probe(port=port) for port in ports))
        self.assertIn("does not implement grpc.health.v1.Health (register", found[0])
        self.assertEqual(
            found[1:],
            [
                "the server speaks HTTP/1, not HTTP/2",
                "connection closed without an answer",
                "not an HTTP/2 server",
                "connection refused",
            ],
        )

    @inlineCallbacks
    def test_changes_its_mind(self) -> Steps:
        """What a server says of itself is seen in the next round, both ways."""
        self.server.signal(signal.SIGUSR1)
        yield self.until_seen("NOT_SERVING")
        self.server.signal(signal.SIGUSR2)
        yield self.until_seen("")

    @inlineCallbacks
    def test_silent(self) -> Steps:
        """Accepted and never answered: failed at its timeout, and the connection is closed."""
        peer = self.peer(b"")
        [result] = yield self.look(self.probe(port=peer.port, timeout=0.5))
        self.assertIn("no answer within 0.5s", result.reason)
        self.assertLess(abs(result.took - 0.5), TOLERANCE)
        yield self.until(lambda: not peer.open)

    @inlineCallbacks
    def test_stopped(self) -> Steps:
        """A server that SIGSTOP holds is not healthy, whatever the kernel accepts for it."""
        self.server.signal(signal.SIGSTOP)
        try:
            [result] = yield self.look(self.probe(timeout=0.5))
        finally:
            self.server.signal(signal.SIGCONT)
        self.assertIn("no answer within 0.5s", result.reason)
        self.assertLess(abs(result.took - 0.5), TOLERANCE)
        yield self.until_seen("")

    @inlineCallbacks
    def test_killed_and_back(self) -> Steps:
        """SIGKILL in the middle of a call fails it at once; the next rounds see who is there."""
        probe = self.probe(timeout=10.0)
        before = sockets_open()
        self.server.signal(signal.SIGSTOP)
        round_: Deferred[Any] = self.look(probe)
        yield self.wait(0.2)
        self.server.stop()
        [result] = yield round_
        self.assertIn("connection closed without an answer", result.reason)
        self.assertLess(result.took, 1.0)
        found = yield self.seen(probe)
        self.assertEqual(found, ["connection refused"])
        self.server.start()
        found = yield self.seen(probe)
        self.assertEqual(found, [""])
        yield self.until(lambda: sockets_open() <= before)

    @pytest.mark.timeout(LONGEST)
    @inlineCallbacks
    def test_a_thousand_rounds(self) -> Steps:
        """Rounds leave no socket, no thread and no memory behind, neither here nor in the server."""
        probes = [self.probe(), self.probe("shop.Stock"), self.probe("shop.Nix")]
        ours, theirs, threads, warm = sockets_open(), self.server.sockets(), threading.active_count(), 0
        for number in range(ROUNDS):
            results = yield self.look(*probes)
            self.assertEqual([result.succeeded for result in results], [True, False, False])
            if number == WARM_UP:
                warm = memory()
        self.assertLessEqual(memory() - warm, MOST_GROWTH)
        self.assertLessEqual(threading.active_count(), threads)
        yield self.until(lambda: sockets_open() <= ours and self.server.sockets() <= theirs)

    test_a_thousand_rounds.timeout = LONGEST  # type: ignore[attr-defined]  # trial's own clock


def memory() -> int:
    """What this process has resident, in bytes."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_the_example(tmp_path: Path) -> None:
    """The documented config runs: ready when its service is, restarted when the server is not healthy."""
    port = free_port()
    program = tmp_path / "shop-server"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -P {grpc_health.__file__} "$2"\n')
    program.chmod(0o755)
    config = tmp_path / "app.yaml"
    config.write_text(
        EXAMPLE.read_text("utf-8").replace("50051", str(port)).replace("delay: 5s", "delay: 0s")
    )
    options = ["--config", str(config), "--readiness-file", str(tmp_path / "ready")]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with Hosted(tmp_path, None, options, environment, http=True) as hosted:
        hosted.up()
        first = hosted.pid_of("shop")
        os.kill(first, signal.SIGUSR1)
        line = f"grpc 127.0.0.1:{port}: NOT_SERVING, expected SERVING"
        hosted.until(lambda: hosted.said(line))
        hosted.until(lambda: hosted.pid_of("shop") != first)
        assert hosted.get("/readiness?wait=20s")[0] == 200
        assert hosted.end() == 0


def test_without_h2(tmp_path: Path) -> None:
    """Without the extra the line says how to get it, and another process's probe is none the worse."""
    (tmp_path / "site" / "h2").mkdir(parents=True)
    missing = "raise ModuleNotFoundError(\"No module named 'h2'\", name='h2')"
    (tmp_path / "site" / "h2" / "__init__.py").write_text(missing)
    check = {"delay": "0s", "period": "100ms", "restartOnFailure": False}
    plan = [
        process("shop", "exec sleep 60", readiness={**check, "grpc": {"address": ":1"}}),
        process("other", "exec sleep 60", readiness={**check, "file": {"path": "/"}}),
    ]
    with Hosted(tmp_path, plan, (), {"PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}"}, http=True) as hosted:
        hosted.until(lambda: hosted.said(r"^cannot probe: grpc needs h2: pip install 'procwrap\[grpc\]'$"))
        hosted.until(lambda: hosted.get("/status")[1] == {"shop": False, "other": True})
        assert hosted.end() == 0
