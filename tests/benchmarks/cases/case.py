"""What all cases have in common."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from tests.benchmarks.figures import Figure
from tests.benchmarks.instruments import Instruments
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster


@frozen
class Load:
    """How much of everything."""

    lines: int = 3_000_000
    idle: tuple[int, int, int] = (1, 10, 100)
    many: int = 200
    dwells: tuple[float, ...] = (1.5, 1.7, 1.9)
    http_seconds: float = 5.0
    http_connections: int = 4
    probes: int = 200
    probe_seconds: float = 10.0
    targets: int = 20
    asks: int = 9


QUICK = Load(
    lines=300_000,
    idle=(1, 10, 30),
    many=40,
    dwells=(1.5,),
    http_seconds=1.0,
    probes=40,
    probe_seconds=2.0,
    targets=5,
    asks=3,
)


@frozen
class Bench:
    """What a measurement works with."""

    instruments: Instruments
    load: Load


class Case(Protocol):
    """One idea of what to measure; one module each."""

    @property
    def name(self) -> str:
        """As ``--only`` takes it."""

    @property
    def rehearsals(self) -> int:
        """How many rounds are thrown away first, where a cold cache would be what is measured."""

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """The tables that it fills."""

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """Who takes part."""

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """One run of one program; figure key -> value.

        Raises:
            MeasureError: It could not be measured.
        """
