"""Panels that are tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dashboard.canvas import FAINT, INK, LINE, SOFT, Box, clipped, line, text, width_of
from dashboard.fields import Field, field

ROW = 20.0

Row = dict[str, str | float]


def rows_of(panel: dict[str, Any], answers: Sequence[Sequence[Any]]) -> list[Row]:
    """Do what the panel's transformations do: join rows of the same labels, choose and rename columns.

    Args:
        panel: the panel.
        answers: of each query, the series with their values now.
    """
    organize = panel["transformations"][-1]["options"]
    several = len(answers) > 1
    merged: dict[tuple[tuple[str, str], ...], Row] = {}
    for letter, answer in zip("ABCDEFGH", answers, strict=False):
        for series in answer:
            keys = {
                k: v
                for k, v in series["metric"].items()
                if k in {"namespace", "pod", "process_name", "state"}
            }
            row = merged.setdefault(tuple(sorted(keys.items())), {})
            row.update(series["metric"])
            row[f"Value #{letter}" if several else "Value"] = float(series["value"][1])
    order = organize["indexByName"]
    left_out = {name for name, out in organize["excludeByName"].items() if out}
    shown = [
        {
            organize["renameByName"][name]: row[name]
            for name in sorted(order, key=order.__getitem__)
            if name in row and name not in left_out
        }
        for row in merged.values()
    ]
    shown.sort(key=lambda row: str(row.get("Pod", "")))
    for each in panel["options"].get("sortBy", []):
        shown.sort(key=lambda row, name=each["displayName"]: str(row.get(name, "")), reverse=each["desc"])  # type: ignore[misc]
    return shown


def table(panel: dict[str, Any], rows: Sequence[Row], box: Box) -> Iterator[str]:
    """Draw a table as wide as the panel."""
    organize = panel["transformations"][-1]["options"]
    names = [organize["renameByName"][name] for name in organize["indexByName"]]
    names = [name for name in names if any(name in row for row in rows)]
    if not rows:
        middle = box.y + box.height / 2
        yield text(
            panel["fieldConfig"]["defaults"].get("noValue", ""),
            box.x + box.width / 2,
            middle,
            13,
            FAINT,
            "middle",
        )
        return
    columns = [field(panel, name) for name in names]
    wide = _widths(columns, rows, box.width)
    y, fits = box.y + 14, int((box.height - 20) / ROW)
    x = box.x
    for column, width in zip(columns, wide, strict=True):
        numeric = _numeric(column, rows)
        yield text(
            column.name, x + (width - 10 if numeric else 4), y, 11, SOFT, "end" if numeric else "start", 600
        )
        x += width
    for row in rows[:fits]:
        yield line(box.x, y + 7, box.right, y + 7, LINE)
        y += ROW
        x = box.x
        for column, width in zip(columns, wide, strict=True):
            numeric = _numeric(column, rows)
            words, color = _cell(column, row.get(column.name))
            at = x + (width - 10 if numeric else 4)
            yield text(clipped(words, width - 10, 11.5), at, y, 11.5, color, "end" if numeric else "start")
            x += width


def _widths(columns: Sequence[Field], rows: Sequence[Row], whole: float) -> list[float]:
    wanted = [
        max(
            width_of(word, 12)
            for word in (column.name, *(_cell(column, row.get(column.name))[0] for row in rows))
        )
        + 18
        for column in columns
    ]
    return [width * whole / sum(wanted) for width in wanted]


def _numeric(column: Field, rows: Sequence[Row]) -> bool:
    return any(isinstance(row.get(column.name), float) for row in rows)


def _cell(column: Field, value: str | float | None) -> tuple[str, str]:
    if value is None:
        return "", INK
    if isinstance(value, str):
        mapped = column.mapped(value)
        return value, mapped["color"] if mapped else "#2463c4" if column.get("links") else INK
    return column.text(value), column.at(value) if column.get("custom.cellOptions", {}).get(
        "type"
    ) == "color-text" else INK
