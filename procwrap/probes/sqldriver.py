"""What the ``sql`` probe and the drivers of its databases promise each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

FirstColumn = tuple[str, ...] | None
"""The first column of the rows as text, without its NULLs; None when the query has no columns."""

MOST_ROWS = 10_000
"""Rows of one query whose first column is looked at."""
MOST_TEXT = 1 << 20
"""Characters of one query's first column that are looked at."""


class SqlTrouble(Exception):  # noqa: N818 - most often the trouble is the database's, and no error of ours
    """A database could not be reached, or did not like a query.

    Attributes:
        reason: why, on one line, in which no password is left; that of a query begins with its number,
            ``query 2: relation "jobs" does not exist (SQLSTATE 42P01)``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SqlDriver(Protocol):
    """Asks one database, over at most one connection that is kept between rounds.

    Attributes:
        target: where it is, without user and password: ``postgres db.example:5432/app``.
    """

    target: str

    def ask(self, queries: Sequence[str]) -> Deferred[tuple[FirstColumn, ...]]:
        """Connect, unless connected, and ask every query in order.

        With no queries it asks whether the server answers.

        Returns:
            A Deferred of as many columns as queries, at most MOST_ROWS and MOST_TEXT of each.
            It fails with SqlTrouble. Cancelling it ends it for real: the query is cancelled on the
            server and the connection is closed.
        """

    def close(self) -> None:
        """Close the connection that is kept; ask() may follow."""
