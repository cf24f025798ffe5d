"""A query that a MySQL server may still be at although nobody waits for it any more."""

from __future__ import annotations

import contextlib
import socket

from attrs import frozen
from pymysql.err import MySQLError

from procwrap.probes.mysqlwire import Wire


@frozen
class Orphan:
    """A connection that was cut within a query.

    The server may not notice for hours: MariaDB looks every 5 s during a SLEEP, and never during most
    other queries.

    Attributes:
        number: the id of the connection.
        seen_as: how the server sees the other end of it, as the end of an SQL condition.
    """

    number: int
    seen_as: str

    def kill(self, wire: Wire) -> None:
        """Kill it over another connection, if that leads to the same server.

        Where something shares connections out among several servers, it may have ended at another one,
        and there the id is somebody else's. So only a connection is killed which, as the server sees it,
        comes from where ours came from.
        """
        same = f"id = {self.number} AND host {self.seen_as}"
        with contextlib.suppress(MySQLError):
            if wire.first_column(f"SELECT id FROM information_schema.processlist WHERE {same}"):
                wire.first_column(f"KILL {self.number}")


def seen_as(sock: socket.socket) -> str:
    """Return how the server sees a connection, for an Orphan."""
    if sock.family == socket.AF_UNIX:
        return "= 'localhost'"
    return f"LIKE '%:{sock.getsockname()[1]}'"
