"""How soon many children run: from exec of the program to the last child's first instruction."""

from __future__ import annotations

from attrs import frozen

from tests.benchmarks.cases.case import Bench, Load
from tests.benchmarks.figures import Figure
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.stage import idlers, running


@frozen
class ManyChildren:
    """200 idle children, each with its own entry in the config."""

    name: str = "many"
    rehearsals: int = 0

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """One."""
        title = f"From exec until {load.many} children run"
        return (Figure("many_children", title, "ms", decimals=0, children=load.many),)

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """Hosts."""
        return roster.hosts

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """Start it once; the stamps of the children need not come in order."""
        with running(program, idlers(bench.load.many), bench.instruments) as host:
            last_ns = max(stamp.at_ns for stamp in host.children(bench.load.many))
            return {"many_children": (last_ns - host.launched.at_ns) / 1e6}
