"""How soon a program is gone: from SIGTERM to its exit, with children that leave at once."""

from __future__ import annotations

import time

from attrs import frozen

from tests.benchmarks import processes
from tests.benchmarks.cases.case import Bench, Load
from tests.benchmarks.figures import Figure
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.stage import idlers, running
from tests.benchmarks.stamps import MeasureError

CHILDREN = 10
# supervisord calls a child running after one second; being stopped earlier would be another figure.
SETTLE_SECONDS = 1.5
SECONDS = 30.0


@frozen
class Stop:
    """10 children that handle SIGTERM by exiting."""

    name: str = "stop"
    rehearsals: int = 0

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """One."""
        del load
        title = f"From SIGTERM to exit with {CHILDREN} children that exit at once"
        return (Figure("stop", title, "ms", decimals=0, children=CHILDREN),)

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """Hosts."""
        return roster.hosts

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """Start it, let it settle, stop it."""
        with running(program, idlers(CHILDREN), bench.instruments) as host:
            children = host.children(CHILDREN)
            time.sleep(SETTLE_SECONDS)
            taken_ms = host.stop(SECONDS)
            left = sum(processes.resident_kib(child.pid) > 0 for child in children)
        if left:
            raise MeasureError(f"it left {left} of {CHILDREN} children running")
        return {"stop": taken_ms}
