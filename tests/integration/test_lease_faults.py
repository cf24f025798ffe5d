"""Never two at once, and soon somebody again, whatever happens to the lock server and its etcd."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.contenders import TTL, Contenders
from tests.support.disks import fill, small_disk
from tests.support.lockhost import LockHost
from tests.support.procfs import eventually
from tests.support.servers import etcd

LONG = bool(os.environ.get("PROCWRAP_LONG"))
ROUNDS = 20 if LONG else 1
SOON = TTL + 2.0
"""Seconds after a fault within which somebody holds the lock again."""
LATER = 15.0
"""The same on a machine that is busy; how long it took is measured where the machine is quiet."""

needs_etcd = pytest.mark.skipif(not etcd.available(), reason=etcd.MISSING)


def again(contenders: Contenders, mend: Callable[[], object]) -> float:
    """Mend something, and return after how many seconds somebody got the lock anew."""
    mend()
    mended = time.monotonic()
    eventually(lambda: contenders.holds_since(mended), LATER)
    return max(tenure.begin for tenure in contenders.tenures) - mended


def embedded(home: Path, port: int | None = None) -> LockHost:
    """Start a server with its leases in a file."""
    options = ["--shared-lock-store", str(home / "leases"), "--shared-lock-max-ttl", "1s"]
    return LockHost(home, options, port=port).__enter__()


def test_the_server_is_killed_and_stopped(tmp_path: Path) -> None:
    """The file outlives SIGKILL; a server that was stopped for longer than a TTL gives nothing away."""
    server = embedded(tmp_path).granting()
    contenders = Contenders([server.port]).start()
    try:
        eventually(lambda: contenders.holds_since(0))
        for _ in range(ROUNDS):
            server.kill()
            server = embedded(tmp_path, server.port)
            again(contenders, lambda: None)
            server.hosted.signal(signal.SIGSTOP)
            time.sleep(TTL + 0.3)
            again(contenders, partial(server.hosted.signal, signal.SIGCONT))
    finally:
        contenders.stop()
        server.kill()
    contenders.check()


@needs_etcd
def test_the_leader_is_killed_and_stopped(tmp_path: Path) -> None:
    """Three members and two lock servers: the lock goes on, through either server."""
    with (
        etcd.Etcd(3) as cluster,
        LockHost(tmp_path / "a", environment=cluster.environment) as one,
        LockHost(tmp_path / "b", environment=cluster.environment) as two,
    ):
        contenders = Contenders([one.port, two.port]).start()
        try:
            eventually(lambda: contenders.holds_since(0))
            for _ in range(ROUNDS):
                leader = cluster.leader()
                again(contenders, leader.kill)
                leader.start(cluster.cluster)
                stopped = cluster.leader()
                again(contenders, partial(stopped.signal, signal.SIGSTOP))
                stopped.signal(signal.SIGCONT)
        finally:
            contenders.stop()
        contenders.check()


@needs_etcd
def test_without_a_majority_nothing_is_granted(tmp_path: Path) -> None:
    """Two of three members gone: 503 within the patience, and a lock again when one is back."""
    with etcd.Etcd(3) as cluster, LockHost(tmp_path, environment=cluster.environment) as host:
        first = host.lease("db", ttl="60s")
        for member in cluster.members[1:]:
            member.kill()
        asked: list[Callable[[], object]] = [
            lambda: host.lease("other").code,
            lambda: host.keep(first.body),
            lambda: host.ask("GET", "/health").code,
            lambda: "cannot reach etcd" in host.ask("GET", "/leases").json["error"],
        ]
        with ThreadPoolExecutor(4) as at_once:
            answers = list(at_once.map(lambda ask: ask(), asked))
        assert answers == [503, 503, 503, True]
        cluster.members[1].start(cluster.cluster)
        eventually(lambda: host.keep(first.body) == 200)
        assert host.lease("db", "pod-2").code == 202
        assert host.lease("other").code == 201


@needs_etcd
def test_tls_with_client_certificates(tmp_path: Path) -> None:
    """With the right certificates only; and whoever is at the other end is verified."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("localhost", ("localhost", "127.0.0.1"))
    files = {
        "SHARED_LEASE_ETCD_CA_CERT": str(authority.file),
        "SHARED_LEASE_ETCD_CLIENT_CERT": str(certificate),
        "SHARED_LEASE_ETCD_CLIENT_KEY": str(key),
    }
    other = Authority(tmp_path, "stranger")
    with etcd.Etcd(1, (authority.file, certificate, key)) as cluster:
        with LockHost(tmp_path / "a", ["--shared-lock-etcd-tls"], {**cluster.environment, **files}) as host:
            lease = host.until_acquired("db", "pod-1")
            assert host.keep(lease.body) == 200
        strange = {**cluster.environment, **files, "SHARED_LEASE_ETCD_CA_CERT": str(other.file)}
        with LockHost(tmp_path / "b", (), strange) as host:
            said = host.lease("db")
            assert (said.code, "TLS failed" in said.json["error"]) == (503, True)


def test_certificates_that_are_not_there(tmp_path: Path) -> None:
    """One line names the files and the variables."""
    where = {"SHARED_LEASE_ETCD_ENDPOINTS": "https://127.0.0.1:1"}
    host = LockHost(tmp_path, (), where)
    assert host.hosted.wait() == 1
    said = host.hosted.err.read_text()
    assert "cannot use the certificates for etcd (/cert/tls/ca.crt" in said
    assert said.count("\n") == 1


def test_a_full_disk(tmp_path: Path) -> None:
    """503 instead of a grant; holders keep what they have; all is well when there is room again."""
    with small_disk(tmp_path / "disk", 1024 * 1024) as disk:
        options = ["--shared-lock-store", str(disk / "leases"), "--shared-lock-max-ttl", "1s"]
        with LockHost(tmp_path / "a", options) as host:
            host.granting()
            held = host.lease("held", ttl="1s")
            ballast = fill(disk)
            full = eventually(lambda: (said := host.lease(f"x{time.monotonic_ns()}")).code == 503 and said)
            assert "cannot write to" in full.json["error"]
            assert host.ask("GET", "/health").code == 503
            assert host.keep(held.body) in (200, 204)
            ballast.unlink()
            eventually(lambda: host.ask("GET", "/health").code == 200)
            assert host.lease("afterwards").code == 201


def test_sigterm_ends_it_properly(tmp_path: Path) -> None:
    """Who waits is answered, the exit code is 0, and the file is free for the next server."""
    server = embedded(tmp_path).granting()
    lease = server.lease("db", ttl="1s")
    began = time.monotonic()
    assert server.hosted.end() == 0
    assert time.monotonic() - began < 5
    with embedded(tmp_path, server.port) as later:
        assert later.keep(lease.body) == 200
        assert later.lease("db", "pod-2").code == 202
