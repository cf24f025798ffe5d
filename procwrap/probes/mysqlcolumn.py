"""The first column of the rows of an answer, as far as it is looked at."""

from __future__ import annotations

from procwrap.probes.sqldriver import MOST_ROWS, MOST_TEXT, FirstColumn


class Column:
    """Collects the first column of all rows of an answer."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._values: list[str] | None = None
        self._rows = self._text = 0

    def begin(self) -> None:
        """Rows are to come."""
        self._values = self._values or []

    def take(self, value: bytes | None) -> bool:
        """Take the first value of a row; False when there are enough."""
        self._rows += 1
        if value is None:
            return self._rows <= MOST_ROWS
        text = value.decode(self._encoding, "replace")
        self._text += len(text)
        if self._rows > MOST_ROWS or self._text > MOST_TEXT or self._values is None:
            return False
        self._values.append(text)
        return True

    @property
    def seen(self) -> FirstColumn:
        """What was collected so far; None as long as nothing has had a column."""
        return None if self._values is None else tuple(self._values)
