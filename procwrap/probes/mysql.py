"""Asks MySQL, MariaDB or ProxySQL through PyMySQL, in a thread of its own for each round."""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.abstract import isIPv6Address
from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.interfaces import IDelayedCall

from procwrap.dsn.mysqlparts import MysqlDsn
from procwrap.probes.aside import in_daemon_thread
from procwrap.probes.context import ProbeContext
from procwrap.probes.dial import addresses
from procwrap.probes.mysqlline import Place
from procwrap.probes.mysqlorphan import Orphan
from procwrap.probes.mysqlsession import Columns, ConnectionGoneError, Session
from procwrap.probes.mysqlwording import reason_of
from procwrap.probes.onethread import OneThread
from procwrap.probes.sqldriver import SqlTrouble

KILL_WITHIN = 2.0
"""Seconds for killing on the server the query of a round that was cancelled."""

Steps = Generator[Deferred[Any], Any, Any]


@define(eq=False)
class MysqlDriver:
    """A SqlDriver that has at most one connection, and at most one thread, which is there only while it asks.

    Attributes:
        target: ``mysql host:port/database``, or ``mysql /path/of/socket/database``.
    """

    _dsn: MysqlDsn
    _context: ProbeContext
    _run: Callable[[Callable[[], None]], None] = in_daemon_thread
    target: str = field(init=False)
    _thread: OneThread = field(init=False)
    _session: Session | None = field(init=False, default=None)
    _asked: Deferred[Columns] | None = field(init=False, default=None)
    _orphan: Orphan | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.target = _target(self._dsn)
        self._thread = OneThread(self._context.reactor, self._run)

    def ask(self, queries: Sequence[str]) -> Deferred[Columns]:
        """Connect, unless connected, and ask every query in order."""
        self._asked = self._ask(tuple(queries))
        return self._asked

    def close(self) -> None:
        """Give up what is under way, and close the connection that is kept."""
        if self._asked is not None:
            self._asked.cancel()
        session, self._session = self._session, None
        if session is not None:
            self._leave(session)

    @inlineCallbacks
    def _ask(self, queries: tuple[str, ...]) -> Steps:
        try:
            while self._thread.is_busy:
                # With giving up the round before this one, or with saying goodbye.
                yield self._thread.free()
            kept = self._session
            if kept is not None and kept.is_usable:
                try:
                    return (yield self._aside(kept, lambda: kept.resume(queries)))
                except ConnectionGoneError:
                    """It is replaced within the same round."""
            places = yield self._places()
            made = self._session = Session(self._dsn, self._orphan)
            return (yield self._aside(made, lambda: made.open(places, queries)))
        except (SqlTrouble, CancelledError):
            raise
        except Exception as error:
            raise SqlTrouble(reason_of(error, self._dsn)) from None

    def _leave(self, session: Session) -> None:
        try:
            goodbye = self._aside(session, session.leave)
        except SqlTrouble:
            session.cut()
            session.close()
            return
        # Nobody is interested in how it went.
        goodbye.addErrback(lambda _: None)

    @inlineCallbacks
    def _places(self) -> Steps:
        dsn = self._dsn
        if dsn.socket:
            return ((socket.AF_UNIX, dsn.socket),)
        found = yield addresses(dsn.host, self._context.asides)
        return tuple(_place(address, dsn.port) for address in found)

    def _aside(self, session: Session, work: Callable[[], Columns | None]) -> Deferred[Columns | None]:
        limit: list[IDelayedCall] = []

        def settled() -> Columns | None:
            try:
                return work()
            finally:
                session.settle()

        def cut() -> None:
            self._session = None
            session.cut()
            limit.append(self._context.reactor.callLater(KILL_WITHIN, session.spare))

        def ended() -> None:
            for call in limit:
                if call.active():
                    call.cancel()
            self._orphan = session.orphan
            if not session.is_usable:
                # Again: it may have been cut when its thread was through with it already.
                session.close()
                self._session = None if self._session is session else self._session

        try:
            return self._thread.do(settled, cut, ended)
        except RuntimeError as error:
            raise SqlTrouble(f"no thread for it: {error}") from None


def _target(dsn: MysqlDsn) -> str:
    host = f"[{dsn.host}]" if isIPv6Address(dsn.host) else dsn.host
    place = dsn.socket or f"{host}:{dsn.port}"
    return f"mysql {place}/{dsn.database}" if dsn.database else f"mysql {place}"


def _place(address: str, port: int) -> Place:
    return socket.AF_INET6 if isIPv6Address(address) else socket.AF_INET, (address, port)
