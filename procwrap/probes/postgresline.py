"""One connection to PostgreSQL: txpostgres, with its sharp edges covered."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

import psycopg2
from psycopg2.extensions import STATUS_READY, TRANSACTION_STATUS_IDLE, UNICODE, string_types
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater
from txpostgres.txpostgres import Connection, Cursor

from procwrap.probes.postgresbytes import Incoming, narrow
from procwrap.probes.sqldriver import MOST_ROWS, MOST_TEXT, FirstColumn

MOST_ANSWER = 16 << 20
"""Bytes of one query's answer, as they come over the network; libpq keeps all of it in memory."""
AT_ONCE = 500
"""Rows that are looked at in one go."""

CLOSED = 1
"""What psycopg2 calls a connection that was closed by us; 2 is one that broke."""

AS_SENT = dict.fromkeys(string_types, UNICODE)
"""No type is turned into Python's: what is compared is the text that psql shows, ``t`` for true."""

Answer = TypeVar("Answer")


class FloodError(Exception):
    """The answer to a query is too long to be kept."""


class UnreachedError(Exception):
    """Nobody accepted the connection in time."""


class _Asking(Cursor):  # type: ignore[misc]
    """A query under way, whose answer has a bound."""

    def __init__(self, cursor: Any, connection: Line) -> None:
        super().__init__(cursor, connection)
        cursor.string_types = AS_SENT
        self.is_flooded = False
        self._incoming = Incoming(connection.fileno())

    def doRead(self) -> None:
        """Take what has come, and give up when it is too much by now."""
        if not self._connection.gone:
            self._incoming.about_to_read()
        super().doRead()
        if not self._connection.gone and self._incoming.count() > MOST_ANSWER:
            self.is_flooded = True
            self._connection.abandon()


class Line(Connection):  # type: ignore[misc]
    """A connection in autocommit mode that is used by one query at a time.

    libpq's own way to cancel, which txpostgres and psycopg2 use, connects and waits for the server to hang
    up; psycopg2 holds the interpreter's lock meanwhile, so that with a server that has stopped the whole of
    procwrap would stop. Therefore no Deferred of txpostgres is ever cancelled here; see abandon().

    Args:
        reactor: provides IReactorFDSet and IReactorTime.
        cancel: called with a libpq connection whose query is to be cancelled; see postgrescancel.py.

    Attributes:
        spoke: whether the server has sent anything at all.
    """

    cursorFactory = _Asking  # noqa: N815

    def __init__(self, reactor: Any, cancel: Callable[[int], None]) -> None:
        super().__init__(reactor)
        self._cancel_query = cancel
        self._reached = False
        self._gave_up = self._is_open = False
        self.spoke = False

    @property
    def gone(self) -> bool:
        """Whether the connection is closed, by whomever."""
        mine = self._connection
        return mine is None or mine.closed != 0 or mine.fileno() < 0

    @property
    def usable(self) -> bool:
        """Whether another query may be asked: connected, and not within a transaction."""
        return not self.gone and self._connection.get_transaction_status() == TRANSACTION_STATUS_IDLE

    @inlineCallbacks
    def open(
        self, settings: Mapping[str, str], patience: float | None
    ) -> Generator[Deferred[Any], Any, None]:
        """Connect and log in.

        Args:
            settings: libpq's.
            patience: seconds until the connection must be accepted; None leaves it to who is asking.
        """
        timer = None if patience is None else self.reactor.callLater(patience, self._impatient)
        try:
            yield self._awaited(self.connect(**settings))
            self._is_open = True
            narrow(self.fileno())
        except Exception:
            if self._gave_up:
                raise UnreachedError from None
            raise
        finally:
            if timer is not None and timer.active():
                timer.cancel()

    @inlineCallbacks
    def first_column(self, query: str) -> Generator[Deferred[Any], Any, FirstColumn]:
        """Ask a query; return the first column of its rows as text, as far as it is looked at."""
        asking = self.cursor()
        try:
            yield self._awaited(asking.execute(query))
        finally:
            if asking.is_flooded:
                raise FloodError
        if not asking.description:
            return None
        found: list[str] = []
        left, rows = MOST_TEXT, 0
        while left > 0 and rows < MOST_ROWS and (some := asking.fetchmany(AT_ONCE)):
            rows += len(some)
            texts = [row[0] for row in some if row[0] is not None]
            found += texts
            left -= sum(map(len, texts))
            if len(some) == AT_ONCE:
                yield deferLater(self.reactor, 0.0)
        return tuple(found)

    def abandon(self) -> None:
        """Close at once; what the server is doing for us is cancelled. May be called again."""
        mine = self._connection
        if mine is None or mine.closed == CLOSED:
            return
        for asking in self._cursors:
            self.reactor.removeReader(asking)
            self.reactor.removeWriter(asking)
        if not self.gone and mine.status == STATUS_READY and mine.isexecuting():
            self._cancel_query(mine.pgconn_ptr)
        self.close()
        # For txpostgres a connection that broke is closed; libpq has not freed its memory yet.
        mine.close()

    def doRead(self) -> None:
        """Go on connecting, or hear of the end of an idle connection.

        Connection's own method raises to the reactor what nobody waits for, and when connecting fails it
        goes on reading a socket that libpq has closed already.
        """
        self._reached = self.spoke = True
        self.reactor.removeReader(self)
        if self.gone:
            return
        try:
            self.continuePolling()
        except psycopg2.Error:
            self.abandon()
        if self._is_open and not self.gone:
            self.checkForNotifies()
            self.reactor.addReader(self)

    def doWrite(self) -> None:
        """Remember that somebody has accepted."""
        self._reached = True
        super().doWrite()

    def cursorFinished(self, cursor: Cursor) -> None:
        """Listen for the end of the connection again, unless it has ended."""
        self._cursors.discard(cursor)
        self.checkForNotifies()
        if not self.gone:
            self.reactor.addReader(self)

    def checkForNotifies(self) -> None:
        """Forget them: nobody listens."""
        self._connection.notifies.clear()

    def _impatient(self) -> None:
        if not self._reached:
            self._gave_up = True
            self.abandon()

    def _awaited(self, answer: Deferred[Answer]) -> Deferred[Answer]:
        """Wait for what txpostgres promised, so that cancelling abandons the connection instead."""
        over = False

        def abandon(_: object) -> None:
            nonlocal over
            over = True
            self.abandon()

        waiting: Deferred[Answer] = Deferred(abandon)

        def pass_on(result: Any) -> None:
            if not over:
                waiting.callback(result)
            else:
                # txpostgres goes on reading what it has connected, closed or not.
                self.reactor.removeReader(self)

        answer.addBoth(pass_on)
        return waiting
