from __future__ import annotations

from procwrap.probes.mysqlcolumn import Column
from procwrap.probes.sqldriver import MOST_ROWS, MOST_TEXT


def test_no_columns() -> None:
    """A query that has only answers without columns has none itself."""
    assert Column("utf8").seen is None


def test_values() -> None:
    """Values are text, NULLs are left out, and what cannot be decoded does no harm."""
    column = Column("utf8")
    column.begin()
    for value in ("ä".encode(), None, b"\xff"):
        assert column.take(value)
    assert column.seen == ("ä", "�")


def test_several_answers() -> None:
    """A query with several answers has one column."""
    column = Column("cp1252")
    for value in (b"\xe4", b"b"):
        column.begin()
        column.take(value)
    assert column.seen == ("ä", "b")


def test_most_rows() -> None:
    """No more rows than MOST_ROWS are taken, be they NULL or not."""
    for value in (None, b"x"):
        column = Column("utf8")
        column.begin()
        assert all(column.take(value) for _ in range(MOST_ROWS))
        assert not column.take(value)
        assert len(column.seen or ()) == (MOST_ROWS if value else 0)


def test_most_text() -> None:
    """No more text than MOST_TEXT is kept; a value is kept whole or not at all."""
    column = Column("utf8")
    column.begin()
    assert column.take(b"x" * (MOST_TEXT - 1))
    assert not column.take(b"yy")
    assert [len(value) for value in column.seen or ()] == [MOST_TEXT - 1]
