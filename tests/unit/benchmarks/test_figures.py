from __future__ import annotations

from tests.benchmarks.figures import Figure, Row, Table, ratio

FIGURE = Figure("stop", "From SIGTERM to exit", "ms")


def test_the_median_is_not_moved_by_one_bad_round() -> None:
    """One round in which the machine was busy does not change a row's median."""
    assert Row("procwrap", "subject", [10.0, 11.0, 900.0, 12.0, 10.5]).median == 11.0


def test_a_failed_program_has_no_median() -> None:
    """Rounds that went well do not hide one that did not."""
    assert Row("circus", "peer", [10.0, 11.0], failure="lost lines").median is None


def test_a_ratio_is_the_row_divided_by_the_peer() -> None:
    """0.25 under a peer's name means a quarter of its value."""
    assert ratio(Row("procwrap", "subject", [50.0]), Row("circus", "peer", [200.0])) == 0.25


def test_there_is_no_ratio_to_a_peer_without_values() -> None:
    """A peer that is not installed, and a program that failed, give no ratio instead of an invented one."""
    measured, absent = Row("procwrap", "subject", [50.0]), Row("tini", "peer", failure="not installed")
    assert ratio(measured, absent) is None
    assert ratio(absent, measured) is None


def test_only_peers_that_were_measured_get_a_column() -> None:
    """Our own rows and the floor are no yardstick."""
    rows = (
        Row("procwrap", "subject", [1.0]),
        Row("supervisord", "peer", [2.0]),
        Row("tini", "peer", failure="not installed"),
        Row("(no program)", "floor", [3.0]),
    )
    assert [row.label for row in Table(FIGURE, rows).peers] == ["supervisord"]
