"""PostgreSQL for the ``sql`` probe: one connection, kept between rounds."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import psycopg2
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks, succeed
from twisted.internet.error import ConnectionClosed
from twisted.python.failure import Failure

from procwrap.dsn.postgres import Host, PostgresDsn, filled, hosts
from procwrap.dsn.problem import DsnError
from procwrap.probes.context import ProbeContext
from procwrap.probes.dial import PATIENCE, Addresses, addresses
from procwrap.probes.postgrescancel import Cancelling
from procwrap.probes.postgresline import FloodError, Line, UnreachedError
from procwrap.probes.postgreswords import said, secrets_of, settings, shown
from procwrap.probes.secrets import masked
from procwrap.probes.sqldriver import FirstColumn, SqlTrouble
from procwrap.probes.wording import one_line

DIRECTORIES: Addresses = ("/var/run/postgresql", "/tmp")
"""Where servers of Debian and of PostgreSQL itself have their Unix socket."""
ALIVE = "select 1"

Step = Generator[Deferred[Any], Any, Any]
Answers = tuple[FirstColumn, ...]


class _LostError(SqlTrouble):
    """The connection had ended before the first query was answered."""


@define(eq=False)
class PostgresDriver:
    """Asks one PostgreSQL server, or the first of several that takes us in."""

    _given: PostgresDsn
    _context: ProbeContext
    target: str = field(init=False)
    _dsn: PostgresDsn = field(init=False)
    _cancelling: Cancelling = field(init=False)
    _line: Line | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._cancelling = Cancelling(self._context.asides)
        self._dsn = filled(self._given, self._context.environment())
        self.target = shown(self._dsn)

    def ask(self, queries: Sequence[str]) -> Deferred[Answers]:
        """Connect, unless connected, and ask; see sqldriver.SqlDriver."""
        asked: Deferred[Answers] = self._ask(tuple(queries))
        return asked.addErrback(self._told)

    def close(self) -> None:
        """Close the connection, if there is one."""
        line, self._line = self._line, None
        if line is not None:
            line.abandon()

    @inlineCallbacks
    def _ask(self, queries: tuple[str, ...]) -> Step:
        try:
            if self._line is not None:
                try:
                    return (yield self._answers(self._line, queries))
                except _LostError:
                    # It has ended since the last round, as when the server was restarted.
                    self.close()
            line = yield self._connect()
            return (yield self._answers(line, queries))
        except CancelledError:
            self.close()
            raise
        finally:
            # What is left within a transaction would hold its locks until the next round.
            if self._line is not None and not self._line.usable:
                self.close()

    @inlineCallbacks
    def _answers(self, line: Line, queries: tuple[str, ...]) -> Step:
        found: list[FirstColumn] = []
        for number, query in enumerate(queries or (ALIVE,), 1):
            try:
                found.append((yield line.first_column(query)))
            except CancelledError:
                raise
            except Exception as error:
                reason = f"query {number}: {said(error)}" if queries else said(error)
                lost = number == 1 and line.gone and line is self._line and not isinstance(error, FloodError)
                raise (_LostError if lost else SqlTrouble)(reason) from None
        return tuple(found[: len(queries)])

    @inlineCallbacks
    def _connect(self) -> Step:
        """Try the hosts in order; of one host, the addresses until somebody speaks."""
        trouble: Exception | None = None
        places = hosts(self._dsn)
        for place in places:
            try:
                found = yield _addresses(place, self._context)
            except OSError as error:
                trouble = trouble or error
                continue
            for address in found:
                is_last = place is places[-1] and address == found[-1]
                line = self._line = Line(self._context.reactor, self._cancelling.cancel)
                try:
                    yield line.open(settings(self._dsn, place, address), None if is_last else PATIENCE)
                    return line
                except (psycopg2.Error, UnreachedError, ConnectionClosed) as error:
                    line.abandon()
                    # A server that spoke says more than one that is not there.
                    trouble = error if line.spoke else trouble or error
                if line.spoke:
                    break
        assert trouble is not None
        raise trouble

    def _told(self, failure: Failure) -> Failure:
        error: Any = failure.value
        if isinstance(error, CancelledError):
            return failure
        if isinstance(error, DsnError):
            reason = f"PGHOST, PGHOSTADDR or PGPORT of the process: {error}"
        else:
            reason = error.reason if isinstance(error, SqlTrouble) else said(error)
        # From None, as it were: a traceback would hold the settings, and with them the password.
        return Failure(SqlTrouble(one_line(masked(reason, secrets_of(self._dsn)))))


def _addresses(place: Host, context: ProbeContext) -> Deferred[Addresses]:
    if place.address:
        return succeed((place.address,))
    if place.is_local:
        return succeed((place.name,) if place.name else DIRECTORIES)
    return addresses(place.name, context.asides)
