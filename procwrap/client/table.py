"""Rows as lines whose columns stand below each other, on a terminal of any width and in any script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

GAP = "  "
_ELLIPSIS = "…"
_SHORTEST = 8
"""Columns of a flexible cell that are worth showing."""

Paint = Callable[[str, str], str]
"""Takes a cell as it will stand there, and what it said before it was cut and padded."""


class Column(NamedTuple):
    """One column.

    Attributes:
        title: its head.
        right: whether its cells end below each other, as numbers do.
        flexible: whether its cells may be cut.
        worth: the column of the lowest worth goes first where there is not enough room.
        paint: gives a cell its colour.
    """

    title: str
    right: bool = False
    flexible: bool = False
    worth: int = 0
    paint: Paint | None = None


def display_width(text: str) -> int:
    """Return how many columns of a terminal a printable text takes: a wide East Asian character two."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(char) in ("Mn", "Me") else 2 if east_asian_width(char) in ("W", "F") else 1
        for char in text
    )


def cut(text: str, width: int) -> str:
    """Return as much of a text as fits, with an ellipsis where something is missing."""
    if display_width(text) <= width:
        return text
    kept = text[: max(width, 0)]
    while kept and display_width(kept) > width - 1:
        kept = kept[:-1]
    return kept + _ELLIPSIS if width > 0 else ""


def padded(text: str, width: int, right: bool = False) -> str:
    """Return a text that takes just so many columns, if it does not take more."""
    blanks = " " * (width - display_width(text))
    return blanks + text if right else text + blanks


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Write rows below a head.

    Args:
        columns: their titles and what may be done to them.
        rows: a printable cell for each column.
        width: what the lines may take at most; None is any width.

    Returns:
        The head and a line for each row, without blanks at their ends.
    """
    wanted = [
        max(map(display_width, (column.title, *cells)))
        for column, cells in zip(columns, _turned(columns, rows), strict=True)
    ]
    widths = wanted if width is None else _fitting(columns, wanted, width)
    shown = [index for index, room in enumerate(widths) if room]
    head = GAP.join(padded(cut(columns[n].title, widths[n]), widths[n], columns[n].right) for n in shown)
    return [head.rstrip(), *(_line(columns, row, widths, shown) for row in rows)]


def _turned(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[row[index] for row in rows] for index in range(len(columns))]


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], shown: Sequence[int]) -> str:
    cells = []
    for index in shown:
        column, room = columns[index], widths[index]
        cell = padded(cut(row[index], room), room, column.right)
        if index == shown[-1]:
            cell = cell.rstrip()
        cells.append(column.paint(cell, row[index]) if column.paint else cell)
    return GAP.join(cells).rstrip()


def _fitting(columns: Sequence[Column], wanted: Sequence[int], width: int) -> list[int]:
    """Make room: cut what is flexible, from the last on; then leave out what is worth the least."""
    widths = list(wanted)
    while (excess := _total(widths) - width) > 0:
        flexible = [n for n in range(len(widths)) if columns[n].flexible and widths[n] > _SHORTEST]
        others = [n for n in range(len(widths)) if widths[n]]
        if flexible:
            widths[flexible[-1]] = max(_SHORTEST, widths[flexible[-1]] - excess)
        elif len(others) > 1:
            widths[min(others, key=lambda n: columns[n].worth)] = 0
        else:
            widths[others[0]] = width
    return widths


def _total(widths: Sequence[int]) -> int:
    shown = [room for room in widths if room]
    return sum(shown) + len(GAP) * (len(shown) - 1)
