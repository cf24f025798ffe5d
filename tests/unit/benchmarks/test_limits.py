from __future__ import annotations

from tests.benchmarks.cases.case import Load
from tests.benchmarks.figures import Figure, Row, Table
from tests.benchmarks.limits import LIMITS, Limit, missed
from tests.benchmarks.options import CASES

STOP = Figure("stop", "From SIGTERM to exit", "ms")
SPEED = Figure("log_throughput", "Log throughput", "million lines/s", "more")


def table(figure: Figure, **values: float) -> Table:
    return Table(
        figure,
        tuple(
            Row(label, "subject" if label == "procwrap" else "peer", [value])
            for label, value in values.items()
        ),
    )


def test_a_bound_is_kept_up_to_its_value() -> None:
    """200 ms are within 200 ms, a little more is not."""
    limits = [Limit("stop", 200)]
    assert missed([table(STOP, procwrap=200.0)], limits) == []
    assert missed([table(STOP, procwrap=200.5)], limits) == ["stop: procwrap: 200.50, wanted at most 200 ms"]


def test_a_ratio_is_judged_against_the_peer_of_the_same_run() -> None:
    """Where more is better, the ratio has to reach the bound."""
    limits = [Limit("log_throughput", 0.8, "supervisord")]
    assert missed([table(SPEED, procwrap=0.8, supervisord=1.0)], limits) == []
    assert missed([table(SPEED, procwrap=0.6, supervisord=1.0)], limits) == [
        "log_throughput: procwrap: 0.60, wanted at least 0.8 x supervisord"
    ]


def test_what_could_not_be_measured_is_not_kept() -> None:
    """A missing peer or a failed run never passes for a promise kept."""
    limits = [Limit("log_throughput", 0.8, "supervisord")]
    assert missed([table(SPEED, procwrap=5.0)], limits) == [
        "log_throughput: procwrap: not measured, wanted at least 0.8 x supervisord"
    ]
    assert len(missed([table(SPEED, supervisord=5.0)], limits)) == 1


def test_figures_that_were_not_asked_for_are_not_judged() -> None:
    """``--only stop --check`` judges the stop alone."""
    assert missed([table(STOP, procwrap=1.0)]) == []


def test_every_limit_is_about_a_figure_that_is_measured() -> None:
    """No promise is left unjudged because of a misspelt name."""
    measured = {figure.key for case in CASES.values() for figure in case.figures(Load())}
    assert {limit.figure for limit in LIMITS} <= measured
