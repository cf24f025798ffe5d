"""What is said to MySQL before the first question."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from traceback import clear_frames

from pymysql.constants import CR
from pymysql.err import Error, OperationalError

from procwrap.dsn.mysqlparts import MysqlOptions
from procwrap.probes.mysqlwire import Wire


def log_in(wire: Wire, sock: socket.socket) -> None:
    """Log in over a connection, which is closed when that does not work."""
    try:
        wire.connect(sock)
    except OperationalError as error:
        if error.__context__ is not None:
            # When a connection ends while it gets its TLS, Python up to 3.11 forgets to close the socket,
            # which the traceback then keeps until the next garbage collection.
            clear_frames(error.__context__.__traceback__)
        if error.args[0] == CR.CR_SERVER_LOST:
            # PyMySQL says "during query" of any time.
            raise OperationalError(CR.CR_SERVER_LOST, "it hung up during the login") from None
        raise


def apply_options(wire: Wire, options: MysqlOptions) -> None:
    """Set what the connection string asks for; say nothing if that is nothing."""
    charsets = options.charsets
    if options.collation and not charsets:
        charsets = (options.collation.partition("_")[0],)
    _set_names(wire, charsets, options.collation)
    if options.variables:
        wire.first_column("SET " + ", ".join(f"{name} = {value}" for name, value in options.variables))


def _set_names(wire: Wire, charsets: Sequence[str], collation: str | None) -> None:
    """Try one character set after the other, as Go's driver does."""
    for index, charset in enumerate(charsets):
        try:
            wire.set_names(charset, collation)
        except Error:
            if index == len(charsets) - 1 or not wire.open:
                raise
        else:
            break
