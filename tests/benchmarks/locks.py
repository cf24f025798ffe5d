"""``python -m tests.benchmarks.locks``: what a lock server takes, on each store.

The server, the load and etcd are processes of their own. ``÷ CPU`` is what one core would do: requests by the
CPU time that the server itself has used for them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.support.lockhost import LockHost
from tests.support.servers import etcd

STORES = ("memory", "file", "etcd")
CONNECTIONS = {"keepalive": (16, 64), "acquire": (16,), "refused": (16,)}
LEAST = {"memory": 2000.0, "file": 2000.0, "etcd": 1000.0}
"""Keepalives a second."""
MOST_P99 = 50.0
"""Milliseconds, with 16 connections."""
TICKS = os.sysconf("SC_CLK_TCK")


@frozen
class Row:
    """The medians of some runs."""

    store: str
    what: str
    connections: int
    rate: float
    per_cpu: float
    p50: float
    p99: float
    wrong: float

    def shown(self) -> str:
        """Return it as a row of a Markdown table."""
        numbers = f"{self.rate:,.0f} | {self.per_cpu:,.0f} | {self.p50:.1f} | {self.p99:.1f}"
        return f"| {self.store} | {self.what} | {self.connections} | {numbers} |"


@contextlib.contextmanager
def server(store: str, home: Path) -> Iterator[LockHost]:
    """Run a server on a store."""
    embedded = ["--shared-lock-max-ttl", "10s"]
    if store == "etcd":
        with etcd.Etcd(hasty=False) as cluster, LockHost(home, environment=cluster.environment) as host:
            yield host.granting()
        return
    file = ["--shared-lock-store", str(home / "leases")] if store == "file" else []
    with LockHost(home, [*embedded, *file]) as host:
        yield host.granting()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(host: LockHost, what: str, connections: int, seconds: float) -> dict[str, float]:
    """Run the load once."""
    words = [
        sys.executable,
        "-m",
        "tests.benchmarks.lockload",
        str(host.port),
        str(connections),
        str(seconds),
    ]
    before = cpu_seconds(host.hosted.process.pid)
    found: dict[str, float] = json.loads(
        subprocess.run([*words, what], check=True, capture_output=True).stdout
    )
    used = cpu_seconds(host.hosted.process.pid) - before
    return {**found, "per_cpu": found["rate"] * seconds / max(used, 1 / TICKS)}


def rows_of(store: str, runs: int, seconds: float) -> Iterator[Row]:
    """Measure everything on one store."""
    with tempfile.TemporaryDirectory(prefix="procwrap-locks-") as home, server(store, Path(home)) as host:
        for what, counts in CONNECTIONS.items():
            for count in counts:
                found = [measure(host, what, count, seconds) for _ in range(runs)]
                median: Any = {name: statistics.median(run[name] for run in found) for name in found[0]}
                yield Row(
                    store,
                    what,
                    count,
                    median["rate"],
                    median["per_cpu"],
                    median["p50_ms"],
                    median["p99_ms"],
                    max(run["wrong"] for run in found),
                )


def missed(row: Row) -> str:
    """Return what a row misses of the promise; empty if nothing."""
    if row.wrong:
        return f"{row.store}, {row.what}: {row.wrong:g} answers were not what they should be"
    if row.what == "keepalive" and row.per_cpu < LEAST[row.store]:
        return f"{row.store}: {row.per_cpu:.0f} keepalives a CPU second, promised {LEAST[row.store]:.0f}"
    if row.what == "keepalive" and row.connections == 16 and row.p99 > MOST_P99:
        return f"{row.store}: the 99th percentile is {row.p99:.1f} ms, promised {MOST_P99:g} ms"
    return ""


def main() -> int:
    """Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.locks")
    parser.add_argument("--only", default=",".join(STORES), help="stores, with commas between them")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--check", action="store_true", help="exit 1 when a promise is not kept")
    asked = parser.parse_args()
    say = sys.stdout.write
    say("| store | request | connections | a second | ÷ CPU | p50 ms | p99 ms |\n")
    say("| --- | --- | --- | --- | --- | --- | --- |\n")
    failures = []
    for store in asked.only.split(","):
        for row in rows_of(store, asked.runs, asked.seconds):
            say(row.shown() + "\n")
            sys.stdout.flush()
            failures += [missed(row)] if missed(row) else []
    say("\n".join(["missed:", *failures] if failures else ["all promises kept"]) + "\n")
    return 1 if failures and asked.check else 0


if __name__ == "__main__":
    sys.exit(main())
