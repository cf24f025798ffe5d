"""What a case measures, and how the values of several rounds become one row."""

from __future__ import annotations

import statistics
from typing import Literal

from attrs import define, field, frozen

from tests.benchmarks.programs.program import Role


@frozen
class Figure:
    """One table.

    Attributes:
        key: Its name in the JSON file and in the limits.
        title: What is measured.
        unit: Of the values.
        better: Which way is good.
        decimals: How many the table shows.
        children: How many children a program must be able to run to have a row.
    """

    key: str
    title: str
    unit: str
    better: Literal["more", "less"] = "less"
    decimals: int = 1
    children: int = 1


@define(eq=False)
class Row:
    """One program's values of one figure.

    Attributes:
        label: The program.
        role: Ratios are taken to those in the role of a peer.
        values: One a round.
        failure: Why there are none, or not all.
    """

    label: str
    role: Role
    values: list[float] = field(factory=list)
    failure: str = ""

    @property
    def median(self) -> float | None:
        """None when a round failed: a program that loses lines now and then has no throughput."""
        return statistics.median(self.values) if self.values and not self.failure else None


@frozen
class Table:
    """A figure with everyone's row."""

    figure: Figure
    rows: tuple[Row, ...]

    def row(self, label: str) -> Row | None:
        """The row of a program, if it took part."""
        return next((row for row in self.rows if row.label == label), None)

    @property
    def peers(self) -> list[Row]:
        """The rows to which the others are compared."""
        return [row for row in self.rows if row.role == "peer" and row.median is not None]


def ratio(row: Row, peer: Row) -> float | None:
    """How many times the peer's median a row's median is."""
    return row.median / peer.median if row.median is not None and peer.median else None
