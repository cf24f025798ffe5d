"""What merging the metrics of many processes takes, and what procwrap's own metrics take."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.benchmarks.cases.case import Bench, Load
from tests.benchmarks.cases.probes import cpu_seconds
from tests.benchmarks.exposer import SERIES
from tests.benchmarks.figures import Figure
from tests.benchmarks.programs.merging import MergingProcwrap, NaiveMerger
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.readiness import await_ready
from tests.benchmarks.stage import Running, idlers, running
from tests.benchmarks.stamps import MeasureError

EXPOSER = Path(__file__).parents[1] / "exposer.py"
START_SECONDS = 20.0
PAUSE_SECONDS = 0.2
REHEARSALS = 2


@frozen
class Merging:
    """20 targets of 2,000 series each, which are served by a process of their own."""

    name: str = "prommerge"
    rehearsals: int = 0

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """Time on the clock, and processor time."""
        what = f"GET /prommerge of {load.targets} targets with {SERIES:,} series each"
        return (
            Figure("prommerge", what, "ms"),
            Figure("prommerge_cpu", f"{what}: CPU time", "ms"),
        )

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """procwrap, and what one would write without it."""
        del roster
        return (MergingProcwrap(), NaiveMerger())

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """Ask some times; the median."""
        assert isinstance(program, MergingProcwrap | NaiveMerger)
        count = bench.load.targets
        with (
            exposing(count) as urls,
            running(program.asking(urls), idlers(count), bench.instruments) as host,
        ):
            if program.serves_readiness:
                host.children(count)
                await_ready(host.place.port)
            wall, cpu, body = ask(host, "/prommerge", bench.load.asks)
        found = body.count(b'process_name="')
        if found != count * SERIES:
            raise MeasureError(f"the result has {found:,} of {count * SERIES:,} samples")
        return {"prommerge": wall, "prommerge_cpu": cpu}


@frozen
class Metrics:
    """procwrap's own metrics, with 100 idle processes."""

    name: str = "metrics"
    rehearsals: int = 0

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """Time on the clock, and processor time."""
        what = f"GET /metrics with {load.idle[-1]} processes"
        return Figure("metrics", what, "ms"), Figure("metrics_cpu", f"{what}: CPU time", "ms")

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """Those that have such an endpoint; supervisord and circus have none."""
        return tuple(host for host in roster.hosts if host.label == "procwrap")

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """Ask some times; the median."""
        count = bench.load.idle[-1]
        with running(program, idlers(count), bench.instruments) as host:
            host.children(count)
            await_ready(host.place.port)
            wall, cpu, _ = ask(host, "/metrics", 5 * bench.load.asks)
        return {"metrics": wall, "metrics_cpu": cpu}


@contextmanager
def exposing(count: int) -> Iterator[list[str]]:
    """So many targets, in a process of their own; their URLs."""
    command = [sys.executable, "-S", "-E", str(EXPOSER), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as server:
        try:
            ports = server.stdout.readline() if server.stdout else ""
            if not ports:
                raise MeasureError("the targets did not start")
            yield [f"http://127.0.0.1:{port}/metrics" for port in json.loads(ports)]
        finally:
            server.kill()


def ask(host: Running, path: str, times: int) -> tuple[float, float, bytes]:
    """Milliseconds on the clock and of processor time for an answer on a kept connection; the last body."""
    connection = _connected(host.place.port)
    took: list[float] = []
    before, body = 0.0, b""
    for number in range(-REHEARSALS, times):
        time.sleep(PAUSE_SECONDS)
        if number == 0:
            before = cpu_seconds(host.pid)
        began = time.monotonic()
        connection.request("GET", path)
        body = connection.getresponse().read()
        if number >= 0:
            took.append(time.monotonic() - began)
    cpu = (cpu_seconds(host.pid) - before) / times
    connection.close()
    return 1000 * statistics.median(took), 1000 * cpu, body


def _connected(port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + START_SECONDS
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.connect()
        except OSError as error:
            if time.monotonic() > deadline:
                raise MeasureError(f"nobody listens on port {port}: {error}") from None
            time.sleep(PAUSE_SECONDS)
        else:
            return connection
