from __future__ import annotations

from attrs import define, evolve, field

from tests.benchmarks.cases.case import Bench, Load
from tests.benchmarks.figures import Figure
from tests.benchmarks.instruments import Instruments
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.programs.small import PipeAlone, S6Log, Tini
from tests.benchmarks.rounds import measure_case
from tests.benchmarks.stamps import MeasureError

NOBODY = Roster((), (), (), {})
BENCH = Bench(Instruments((), (), (), (), compiled=True), Load())
TINI, S6_LOG = Tini(absent=""), S6Log("T", absent="")


@define(eq=False)
class Counting:
    """A case whose values are the order in which it was asked."""

    taking_part: tuple[Program, ...]
    failing: str = ""
    rehearsals: int = 0
    name: str = "counting"
    asked: list[str] = field(factory=list)

    def figures(self, load: Load) -> tuple[Figure, ...]:
        del load
        return (Figure("order", "Order", ""), Figure("crowd", "For hosts only", "", children=2))

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        del roster
        return self.taking_part

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        del bench
        self.asked.append(program.label)
        if program.label == self.failing:
            raise MeasureError("lost lines")
        return {"order": float(len(self.asked))}


def test_programs_take_turns() -> None:
    """A B A B: a noisy minute of the machine hits all of them."""
    case = Counting((TINI, S6_LOG))
    order = measure_case(case, NOBODY, BENCH, 2, lambda _: None)[0]
    assert case.asked == ["tini", "s6-log T", "tini", "s6-log T"]
    assert [row.values for row in order.rows] == [[1.0, 3.0], [2.0, 4.0]]


def test_rehearsals_do_not_count() -> None:
    """The first start after a boot reads from disk; that is another figure."""
    case = Counting((TINI,), rehearsals=1)
    assert measure_case(case, NOBODY, BENCH, 2, lambda _: None)[0].rows[0].values == [2.0, 3.0]


def test_who_fails_is_out_and_says_why() -> None:
    """Its row keeps the reason; the others go on."""
    case = Counting((TINI, S6_LOG), failing="tini")
    tini, s6_log = measure_case(case, NOBODY, BENCH, 3, lambda _: None)[0].rows
    assert (tini.failure, tini.values) == ("lost lines", [])
    assert len(s6_log.values) == 3
    assert case.asked.count("tini") == 1


def test_who_is_not_installed_has_a_row_that_says_so() -> None:
    """Nothing is left out silently, and nothing that is absent is started."""
    case = Counting((evolve(TINI, absent="tini is not installed"),))
    table = measure_case(case, NOBODY, BENCH, 3, lambda _: None)[0]
    assert (table.rows[0].failure, case.asked) == ("tini is not installed", [])


def test_who_runs_one_child_has_no_row_where_more_are_needed() -> None:
    """A wrapper of one command cannot fail at what it does not do."""
    assert measure_case(Counting((TINI,)), NOBODY, BENCH, 1, lambda _: None)[1].rows == ()


def test_the_floor_stands_last() -> None:
    """Whatever the order of the turns."""
    table = measure_case(Counting((PipeAlone(), TINI)), NOBODY, BENCH, 1, lambda _: None)[0]
    assert [row.label for row in table.rows] == ["tini", "(no program)"]
