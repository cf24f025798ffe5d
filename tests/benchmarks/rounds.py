"""Programs side by side: A B C, A B C, …, so that a noisy minute of the machine hits all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import get_args

from tests.benchmarks.cases.case import Bench, Case
from tests.benchmarks.figures import Figure, Row, Table
from tests.benchmarks.programs.program import Program, Role
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.stamps import MeasureError


def measure_case(
    case: Case, roster: Roster, bench: Bench, runs: int, say: Callable[[str], None]
) -> list[Table]:
    """Run a case so many times with everyone who takes part.

    Who fails once is out: its row says why, and the others' rounds are not held up by its time limits.

    Args:
        case: What to measure.
        roster: Who there is.
        bench: What to measure with.
        runs: How many rounds count.
        say: Told of the progress.
    """
    programs = case.programs(roster)
    tables = [blank(figure, programs) for figure in case.figures(bench.load)]
    for number in range(-case.rehearsals, runs):
        for program in programs:
            rows = {table.figure.key: row for table in tables if (row := table.row(program.label))}
            if not any(row.failure for row in rows.values()):
                say(f"{case.name}: {f'run {number + 1}' if number >= 0 else 'rehearsal'}: {program.label}")
                _measure_once(case, program, bench, rows, counts=number >= 0)
    return tables


def blank(figure: Figure, programs: Sequence[Program]) -> Table:
    """A table with a row for every program that can run enough children: ours, then peers, then the floor."""
    able = [one for one in programs if one.most_children >= figure.children]
    able.sort(key=lambda one: get_args(Role).index(one.role))
    return Table(figure, tuple(Row(one.label, one.role, failure=one.absent) for one in able))


def _measure_once(case: Case, program: Program, bench: Bench, rows: dict[str, Row], *, counts: bool) -> None:
    try:
        values = case.measure(program, bench)
    except MeasureError as error:
        for row in rows.values():
            row.failure = str(error)
        return
    if counts:
        for key, value in values.items():
            rows[key].values.append(value)
