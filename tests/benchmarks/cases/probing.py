"""How fast ``GET /readiness`` is answered, at rest and while a child writes log lines at full speed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.benchmarks.cases.case import Bench, Load
from tests.benchmarks.cases.throughput import draining
from tests.benchmarks.figures import Figure
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.readiness import await_ready
from tests.benchmarks.stage import idlers, log_writer, running
from tests.benchmarks.stamps import MeasureError

CLIENT = Path(__file__).parents[1] / "httpload.py"


@frozen
class Probing:
    """A client in its own process, with a few keep-alive connections; each asks again once it is answered."""

    name: str = "readiness"
    rehearsals: int = 0

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """Rate and 99th percentile, each idle and busy."""
        how = f"{load.http_connections} keep-alive connections"
        return (
            Figure("readiness_rate_idle", f"GET /readiness, {how}, idle", "requests/s", "more", 0),
            Figure("readiness_p99_idle", f"GET /readiness, {how}, idle: 99th percentile", "ms", decimals=2),
            Figure("readiness_rate_busy", f"GET /readiness, {how}, a child writing", "requests/s", "more", 0),
            Figure(
                "readiness_p99_busy",
                f"GET /readiness, {how}, a child writing: 99th percentile",
                "ms",
                decimals=2,
            ),
        )

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """Those that have such an endpoint; supervisord and circus have none."""
        return tuple(host for host in roster.hosts if host.serves_readiness)

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """Two starts: with an idle child, and with one that writes for ever into a reader that keeps up."""
        with running(program, idlers(1), bench.instruments) as host:
            host.children(1)
            idle = _ask(host.place.port, bench.load)
        with (
            draining(bench.instruments.reader, 0) as (_, stdout),
            running(program, log_writer(0), bench.instruments, stdout) as host,
        ):
            host.children(1)
            busy = _ask(host.place.port, bench.load)
        both = {"idle": idle, "busy": busy}
        rates = {f"readiness_rate_{name}": found["rate"] for name, found in both.items()}
        return {**rates, **{f"readiness_p99_{name}": found["p99_ms"] for name, found in both.items()}}


def _ask(port: int, load: Load) -> dict[str, Any]:
    await_ready(port)
    command = [
        sys.executable,
        "-S",
        "-E",
        str(CLIENT),
        str(port),
        str(load.http_connections),
        str(load.http_seconds),
    ]
    client = subprocess.run(command, capture_output=True, text=True, timeout=load.http_seconds + 30)
    if client.returncode != 0:
        raise MeasureError((client.stderr.strip().splitlines() or ["the client said nothing"])[-1])
    found: dict[str, Any] = json.loads(client.stdout)
    if found["refused"]:
        raise MeasureError(f"{found['refused']} of {found['requests']} answers were not 200")
    return found
