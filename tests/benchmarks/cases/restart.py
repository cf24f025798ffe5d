"""How soon a killed child is back: from SIGKILL to its successor's first instruction."""

from __future__ import annotations

import os
import signal
import statistics
import time

from attrs import frozen

from tests.benchmarks.cases.case import Bench, Load
from tests.benchmarks.figures import Figure
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.stage import idlers, running

SECONDS = 20.0


@frozen
class Restart:
    """A child that has run longer than the backoff's `reset` (1 s), killed a few times in a row."""

    name: str = "restart"
    rehearsals: int = 0

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """One."""
        del load
        return (Figure("restart", "From SIGKILL of a child to its successor's first instruction", "ms"),)

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """Hosts."""
        return roster.hosts

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """The median of a few kills, after different times, since some programs look only once a second."""
        latencies = []
        with running(program, idlers(1), bench.instruments) as host:
            child = host.children(1)[0]
            for dwell in bench.load.dwells:
                time.sleep(dwell)
                killed_ns = time.monotonic_ns()
                os.kill(child.pid, signal.SIGKILL)
                child = host.children(1, SECONDS)[0]
                latencies.append((child.at_ns - killed_ns) / 1e6)
        return {"restart": statistics.median(latencies)}
