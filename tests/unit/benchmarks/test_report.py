from __future__ import annotations

import json

from tests.benchmarks.figures import Figure, Row, Table
from tests.benchmarks.report import as_json, as_markdown, as_text

TABLE = Table(
    Figure("log_throughput", "Log throughput", "million lines/s", "more", 2),
    (
        Row("procwrap", "subject", [1.5, 2.5, 2.0]),
        Row("s6-log T", "peer", [1.0, 1.0, 1.25]),
        Row("tini", "peer", failure="tini is not installed"),
    ),
)


def test_text_shows_median_span_and_ratio_in_aligned_columns() -> None:
    """A row reads: program, median, smallest to largest, and how many times the peer that is."""
    assert as_text(TABLE) == (
        "Log throughput (million lines/s, more is better)\n"
        "  program   median    min to max  ÷ s6-log T\n"
        "  procwrap    2.00  1.50 to 2.50        2.00\n"
        "  s6-log T    1.00  1.00 to 1.25        1.00\n"
        "  tini      - tini is not installed\n"
    )


def test_markdown_has_a_cell_for_every_column() -> None:
    """The tables can be pasted into the documentation; a missing program keeps its row and its reason."""
    lines = as_markdown(TABLE).splitlines()
    assert lines[0] == "**Log throughput (million lines/s, more is better)**"
    assert lines[2:] == [
        "| program | median | min to max | ÷ s6-log T |",
        "| --- | ---: | ---: | ---: |",
        "| procwrap | 2.00 | 1.50 to 2.50 | 2.00 |",
        "| s6-log T | 1.00 | 1.00 to 1.25 | 1.00 |",
        "| tini | - | tini is not installed | - |",
    ]


def test_a_reason_cannot_break_a_markdown_table() -> None:
    """What a program said as its last words may hold the sign that parts the cells."""
    table = Table(TABLE.figure, (Row("tini", "peer", failure="a | b"),))
    assert as_markdown(table).splitlines()[-1] == "| tini | - | a / b |"


def test_text_of_a_table_where_everything_failed() -> None:
    """Then there are just the reasons."""
    table = Table(TABLE.figure, (Row("tini", "peer", failure="tini is not installed"),))
    assert as_text(table).splitlines()[-1] == "  tini     - tini is not installed"


def test_json_keeps_every_value() -> None:
    """Two runs can be compared later by more than their medians."""
    found = json.loads(as_json([TABLE], {"python": "3.11"}))
    assert found["about"] == {"python": "3.11"}
    assert found["figures"][0]["rows"][0] == {
        "program": "procwrap",
        "median": 2.0,
        "values": [1.5, 2.5, 2.0],
        "failure": "",
        "ratios": {"s6-log T": 2.0},
    }


def test_a_small_ratio_keeps_its_digits() -> None:
    """A thousandth is not shown as nothing."""
    rows = (Row("procwrap", "subject", [3.0]), Row("circus", "peer", [2500.0]))
    assert (
        as_markdown(Table(TABLE.figure, rows)).splitlines()[-2]
        == "| procwrap | 3.00 | 3.00 to 3.00 | 0.0012 |"
    )
