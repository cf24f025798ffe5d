from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procwrap.client.table import Column, cut, display_width, padded, table
from procwrap.core.printable import printable

COLUMNS = (
    Column("NAME", flexible=True, worth=9),
    Column("PID", right=True, worth=1),
    Column("LAST", flexible=True, worth=2),
)
CELLS = st.tuples(*[st.text(max_size=40).map(printable)] * 3)


def test_columns_stand_below_each_other() -> None:
    """Texts begin together, numbers end together, and no line has blanks at its end."""
    assert table(COLUMNS, [("a", "31", "x"), ("longer", "7", "")], None) == [
        "NAME    PID  LAST",
        "a        31  x",
        "longer    7",
    ]


def test_wide_characters_take_two_columns() -> None:
    """As terminals show them; marks that stand above others take none."""
    assert [display_width(text) for text in ("a", "日本", "ｱ", "e\u0301", "…")] == [1, 4, 1, 1, 1]
    assert table(COLUMNS, [("日本", "1", "x"), ("abc", "2", "y")], None) == [
        "NAME  PID  LAST",
        "日本    1  x",
        "abc     2  y",
    ]


def test_what_does_not_fit_is_cut_and_then_left_out() -> None:
    """First the last flexible column, then the first; then columns go, those of the least worth first."""
    rows = [("a" * 20, "31", "b" * 20)]
    assert table(COLUMNS, rows, 40)[1] == "a" * 20 + "   31  " + "b" * 12 + "…"
    assert table(COLUMNS, rows, 24)[1] == "aaaaaaaa…   31  bbbbbbb…"
    assert table(COLUMNS, rows, 22)[1] == "aaaaaaa…  bbbbbbb…"
    assert table(COLUMNS, rows, 9) == ["NAME", "aaaaaaa…"]
    assert table(COLUMNS, rows, 4) == ["NAME", "aaa…"]


@given(st.lists(CELLS, max_size=5), st.integers(4, 100))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, ...]], width: int) -> None:
    """Whatever stands in the cells."""
    lines = table(COLUMNS, rows, width)
    assert len(lines) == len(rows) + 1
    assert all(display_width(line) <= width for line in lines)


@given(st.lists(CELLS, min_size=1, max_size=5))
def test_without_a_width_nothing_is_missing(rows: list[tuple[str, ...]]) -> None:
    """A file gets every cell, and each column begins at the same place in all lines."""
    head, *lines = table(COLUMNS, rows, None)
    for line, row in zip(lines, rows, strict=True):
        assert "".join(row).replace(" ", "") == line.replace(" ", "")
        last = cut(line, display_width(head) - len("LAST") + 1)
        assert not row[2] or display_width(line) == display_width(head) - 4 + display_width(
            row[2]
        ) - trailing(row[2]), last


def trailing(text: str) -> int:
    """Count the blanks at the end of a text that begins with something else."""
    return len(text) - len(text.rstrip(" "))


@given(st.text().map(printable), st.integers(0, 30))
def test_what_is_cut_fits(text: str, width: int) -> None:
    """It is a beginning of the text, and an ellipsis says that more follows."""
    found = cut(text, width)
    assert display_width(found) <= width
    assert found == text or width == 0 or (found.endswith("…") and text.startswith(found[:-1]))


def test_a_cell_that_is_too_large_is_not_harmed() -> None:
    """Blanks are added where there is room for them."""
    assert padded("abc", 2) == "abc"
    assert padded("ab", 4, right=True) == "  ab"


def test_colors_do_not_move_anything() -> None:
    """A cell is painted when its place is decided."""
    columns = (Column("A", paint=lambda cell, said: f"<{said}:{cell}>"), Column("B"))
    assert table(columns, [("x", "1"), ("yyy", "2")], None)[1:] == ["<x:x  >  1", "<yyy:yyy>  2"]
