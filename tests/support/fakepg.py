"""What psycopg2 gives to those who connect, in memory."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable
from typing import Any

from attrs import define, field
from psycopg2 import InterfaceError, OperationalError
from psycopg2.extensions import (
    POLL_OK,
    POLL_READ,
    POLL_WRITE,
    STATUS_READY,
    TRANSACTION_STATUS_ACTIVE,
    TRANSACTION_STATUS_IDLE,
    TRANSACTION_STATUS_INTRANS,
)

from tests.support.probes import ProbeReactor

ACCEPTED = (POLL_WRITE, POLL_READ, POLL_OK)
"""What polling says while a server lets somebody in."""
STATUS_CONNECTING = 20


@define(eq=False)
class FakeCursor:
    """A query and its rows."""

    connection: Any
    description: Any = None
    rows: deque[tuple[str | None, ...]] = field(factory=deque)
    string_types: Any = None

    def execute(self, query: str, params: object) -> None:
        """Take the next answer of the script."""
        self.connection.asked.append(query)
        answer = self.connection.answers.popleft()
        self.connection.busy = True
        if isinstance(answer, Exception):
            self.connection.states.append(answer)
        elif answer is not None:
            self.connection.states += [POLL_READ, POLL_OK]
            self.description = answer and [("a",)]
            self.rows = deque(answer)
        else:
            self.connection.states.append(POLL_READ)

    def fetchmany(self, count: int) -> list[tuple[str | None, ...]]:
        """Return the next rows."""
        return [self.rows.popleft() for _ in range(min(count, len(self.rows)))]


@define(eq=False)
class FakePg:
    """An asynchronous connection that polls as told.

    Attributes:
        states: what poll() returns, or raises; with none left it is a bug to poll.
        answers: to the queries: rows, an error, or None for no answer at all.
    """

    states: deque[Any] = field(converter=deque)
    answers: deque[Any] = field(factory=deque, converter=deque)
    asked: list[str] = field(factory=list)
    closed: int = 0
    status: int = STATUS_CONNECTING
    busy: bool = False
    in_transaction: bool = False
    pgconn_ptr: int = 4711
    notifies: list[object] = field(factory=list)
    sockets: Any = field(factory=socket.socketpair)

    def poll(self) -> Any:
        """Take the next state."""
        state = self.states.popleft()
        if isinstance(state, Exception):
            self.busy = False
            if isinstance(state, OperationalError) and self.status == STATUS_READY:
                self.closed = 2
            raise state
        if state == POLL_OK:
            self.status, self.busy = STATUS_READY, False
        return state

    def fileno(self) -> int:
        """Return a real descriptor."""
        return int(self.sockets[0].fileno())

    def isexecuting(self) -> bool:
        """Tell whether a query runs."""
        return self.busy or self.status != STATUS_READY

    def get_transaction_status(self) -> int:
        """As libpq does."""
        if self.busy:
            return TRANSACTION_STATUS_ACTIVE
        return TRANSACTION_STATUS_INTRANS if self.in_transaction else TRANSACTION_STATUS_IDLE

    def cursor(self) -> FakeCursor:
        """Begin a query."""
        if self.closed:
            raise InterfaceError("connection already closed")
        return FakeCursor(self)

    def close(self) -> None:
        """Close both ends."""
        self.closed = 1
        for each in self.sockets:
            each.close()


@define(eq=False)
class FakeServers:
    """Stands in for ``psycopg2.connect``: one connection, or error, after the other.

    Attributes:
        given: the settings of each attempt.
    """

    connections: deque[FakePg | Exception] = field(converter=deque)
    given: list[dict[str, Any]] = field(factory=list)

    def connect(self, **settings: Any) -> FakePg:
        """Begin to connect."""
        self.given.append(settings)
        made = self.connections.popleft()
        if isinstance(made, Exception):
            raise made
        return made


def accepted(*answers: Any) -> FakePg:
    """A connection to a server that lets us in and answers so."""
    return FakePg(ACCEPTED, answers)


def turn(reactor: ProbeReactor, times: int = 10) -> None:
    """Let the reactor serve whoever waits to read or write."""
    for _ in range(times):
        for writer in list(reactor.getWriters()):
            writer.doWrite()
        for reader in list(reactor.getReaders()):
            if reader.pollable().states:
                reader.doRead()
        reactor.advance(0)


def one_column(texts: Iterable[str | None]) -> list[tuple[str | None, ...]]:
    """Rows of these."""
    return [(text,) for text in texts]
