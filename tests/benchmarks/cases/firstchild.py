"""How soon the first child runs: from exec of the program to the child's first instruction."""

from __future__ import annotations

from attrs import frozen

from tests.benchmarks.cases.case import Bench, Load
from tests.benchmarks.figures import Figure
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.stage import idlers, running


@frozen
class FirstChild:
    """One idle child; both moments are stamped by the processes themselves."""

    name: str = "first-child"
    rehearsals: int = 1

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """One."""
        del load
        return (Figure("first_child", "From exec to the first instruction of the first child", "ms"),)

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """Hosts with a config and HTTP, and wrappers of one command."""
        return (*roster.hosts[:1], *roster.wrappers[:1], *roster.hosts[1:], *roster.wrappers[1:])

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """Start it once."""
        with running(program, idlers(1), bench.instruments) as host:
            return {"first_child": (host.children(1)[0].at_ns - host.launched.at_ns) / 1e6}
