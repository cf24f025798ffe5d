"""One connection to MySQL with its login, and what is done with it in a thread."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from attrs import define, field

from procwrap.dsn.mysqlparts import MysqlDsn
from procwrap.probes.mysqlline import Line, Place
from procwrap.probes.mysqllogin import apply_options, log_in
from procwrap.probes.mysqlorphan import Orphan, seen_as
from procwrap.probes.mysqlwire import Wire
from procwrap.probes.sqldriver import FirstColumn

Columns = tuple[FirstColumn, ...]

GOODBYE_WITHIN = 1
"""Seconds after which a connection is closed without the server having been told."""


class ConnectionGoneError(Exception):
    """The connection that was kept has ended since; nothing has been asked."""


class QueryError(Exception):
    """Something went wrong at a query.

    Attributes:
        number: of the query, from 1.
        error: what it was.
    """

    def __init__(self, number: int, error: Exception) -> None:
        super().__init__(number, error)
        self.number, self.error = number, error


@define(eq=False)
class Session:
    """A login, and the questions that are asked after it.

    Every method blocks and belongs into a thread, one at a time, but for cut(), spare() and close().

    Attributes:
        orphan: what is still to be killed, perhaps of a session before this one.
    """

    _dsn: MysqlDsn
    orphan: Orphan | None = None
    _line: Line = field(factory=Line)
    _killing: Line = field(factory=Line)
    _wire: Wire | None = None
    _place: Place | None = None
    _seen_as: str = ""
    _is_asking: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether something can be asked."""
        wire = self._wire
        return wire is not None and wire.open and not wire.is_spent and not self._line.is_cut

    def open(self, places: Sequence[Place], queries: Sequence[str]) -> Columns:
        """Connect, log in and ask.

        Raises:
            QueryError: it is a query that did not work.
            Exception: whatever PyMySQL or the system has against connecting.
        """
        self._open(places)
        return self._ask(queries)

    def resume(self, queries: Sequence[str]) -> Columns:
        """Ask over the connection that was kept.

        Raises:
            ConnectionGoneError: it is not there any more, or a transaction has been left open in it.
            QueryError: a query did not work.
        """
        self._is_asking = False
        try:
            self._open_wire.ping()
        except Exception:
            raise ConnectionGoneError from None
        if self._open_wire.is_in_transaction:
            self.close()
            raise ConnectionGoneError
        return self._ask(queries)

    def cut(self) -> None:
        """End the connection from another thread; a query under way is killed by the thread itself."""
        self._line.cut()

    def spare(self) -> None:
        """Let a query live that is still not killed; called from another thread."""
        self._killing.cut()

    def settle(self) -> None:
        """Leave nothing behind that is of no more use; the last thing that a thread does."""
        if self.is_usable:
            return
        self.close()
        if self._line.is_cut and self._is_asking and self._wire is not None and self._place is not None:
            self.orphan = orphan = Orphan(self._wire.number, self._seen_as)
            with contextlib.suppress(Exception):
                self._kill_aside(orphan, self._place)

    def leave(self) -> None:
        """Say goodbye, without which the server logs an aborted connection; takes no longer than a second."""
        self._line.limit_sending(GOODBYE_WITHIN)
        self.close()

    def close(self) -> None:
        """Close the connection, with a goodbye if it is there; blocks only if it has not been cut."""
        if self._wire is not None:
            self._wire.leave()
        self._line.close()

    @property
    def _open_wire(self) -> Wire:
        assert self._wire is not None
        return self._wire

    def _open(self, places: Sequence[Place]) -> None:
        self._wire = wire = Wire(self._dsn)
        sock, self._place = self._line.connect(places)
        self._seen_as = seen_as(sock)
        log_in(wire, sock)
        if self.orphan is not None:
            self._kill(self.orphan, wire)
        apply_options(wire, self._dsn.options)

    def _ask(self, queries: Sequence[str]) -> Columns:
        if not queries:
            self._open_wire.ping()
        columns = []
        for number, query in enumerate(queries, 1):
            try:
                columns.append(self._column(query))
            except Exception as error:
                raise QueryError(number, error) from None
        if self._open_wire.open and self._open_wire.is_in_transaction:
            # It would hold its locks until the next round, which would see what is old by then.
            self.close()
        return tuple(columns)

    def _column(self, query: str) -> FirstColumn:
        if not self.is_usable and self._place is not None:
            self._open([self._place])
        self._is_asking = True
        column = self._open_wire.first_column(query)
        self._is_asking = False
        if self._open_wire.is_spent:
            self.close()
        return column

    def _kill_aside(self, orphan: Orphan, place: Place) -> None:
        """Kill it over a second connection, which lives no longer than that."""
        wire = Wire(self._dsn)
        try:
            log_in(wire, self._killing.connect([place])[0])
            self._kill(orphan, wire)
        finally:
            wire.leave()
            self._killing.close()

    def _kill(self, orphan: Orphan, wire: Wire) -> None:
        orphan.kill(wire)
        if wire.open:
            self.orphan = None
