"""Tables as text, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.figures import Row, Table, ratio

NONE = "-"


def heading(table: Table) -> str:
    """What a table shows, its unit, and which way is good."""
    figure = table.figure
    return f"{figure.title} ({figure.unit}, {figure.better} is better)"


def cells(table: Table) -> list[list[str]]:
    """Header and rows; a program that failed has its reason in place of the span, in full."""
    peers = table.peers
    header = ["program", "median", "min to max", *(f"÷ {peer.label}" for peer in peers)]
    return [header, *([row.label, *_values(row, table), *_ratios(row, peers)] for row in table.rows)]


def _values(row: Row, table: Table) -> list[str]:
    if row.median is None:
        return [NONE, row.failure or "not measured"]
    digits = table.figure.decimals
    low, middle, high = (f"{value:,.{digits}f}" for value in (min(row.values), row.median, max(row.values)))
    return [middle, f"{low} to {high}"]


def _ratios(row: Row, peers: Sequence[Row]) -> list[str]:
    return [_times(ratio(row, peer)) for peer in peers]


def _times(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def as_text(table: Table) -> str:
    """Aligned columns; the numbers to the right."""
    grid = cells(table)
    measured = [line for line in grid if line[1] != NONE]
    widths = [max(len(line[column]) for line in measured) for column in range(len(grid[0]))]
    widths[0] = max(len(line[0]) for line in grid)
    lines = [heading(table)]
    for line in grid:
        rest = (cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        reason = f"{NONE} {line[2]}" if line[1] == NONE else "  ".join(rest)
        lines.append(f"  {line[0].ljust(widths[0])}  {reason}".rstrip())
    return "\n".join(lines) + "\n"


def as_markdown(table: Table) -> str:
    """A table of GitHub's and MyST's dialect."""
    header, *rows = cells(table)
    rule = ["---", *("---:" for _ in header[1:])]
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in (header, rule, *rows)]
    return "\n".join([f"**{heading(table)}**", "", *lines]) + "\n"


def as_json(tables: Sequence[Table], about: Mapping[str, str]) -> str:
    """Everything that was measured, every single value."""
    return json.dumps({"about": dict(about), "figures": [_plain(table) for table in tables]}, indent=2) + "\n"


def _plain(table: Table) -> dict[str, Any]:
    figure = table.figure
    rows = [
        {
            "program": row.label,
            "median": row.median,
            "values": row.values,
            "failure": row.failure,
            "ratios": {peer.label: ratio(row, peer) for peer in table.peers},
        }
        for row in table.rows
    ]
    return {
        "key": figure.key,
        "title": figure.title,
        "unit": figure.unit,
        "better": figure.better,
        "rows": rows,
    }
