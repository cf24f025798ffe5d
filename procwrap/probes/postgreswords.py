"""What libpq is told, and what is told of what libpq says."""

from __future__ import annotations

import os
import pwd
import re

import psycopg2
from twisted.internet.error import ConnectionClosed

from procwrap.dsn.postgres import Host, PostgresDsn, hosts
from procwrap.dsn.problem import DsnError
from procwrap.probes.postgresline import MOST_ANSWER, FloodError, UnreachedError
from procwrap.probes.sqldriver import SqlTrouble
from procwrap.probes.wording import trouble

_NOISE = re.compile(r"(?:connection to server .*? failed: )?(?:FATAL: +|fe_sendauth: )?")


def settings(dsn: PostgresDsn, place: Host, address: str) -> dict[str, str]:
    """Return libpq's settings for one address.

    Nothing is left out that libpq would otherwise take from procwrap's own environment.

    Args:
        dsn: filled, see dsn.postgres.filled.
        place: the host whose address it is.
        address: an IP address, or the directory of a Unix socket.

    Raises:
        SqlTrouble: nothing says which user.
    """
    where = {"host": address, "hostaddr": ""} if place.is_local else {"host": place.name, "hostaddr": address}
    return {
        "client_encoding": "UTF8",
        **dsn.others,
        **where,
        "port": str(place.port),
        "user": dsn.user or _own_user(),
        "password": dsn.password or "",
        "dbname": dsn.dbname or "",
        "connect_timeout": "0",
        "application_name": "procwrap",
    }


def _own_user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise SqlTrouble("no user: name one in the connection string, or set PGUSER") from None


def shown(dsn: PostgresDsn) -> str:
    """Say which database, without who asks it: ``postgres db.example:5432/app``."""
    try:
        places = ",".join(map(str, hosts(dsn)))
    except DsnError:
        places = dsn.host or ""
    return f"postgres {places}/{dsn.dbname}" if dsn.dbname else f"postgres {places}"


def secrets_of(dsn: PostgresDsn) -> list[str]:
    """Return what must not be shown."""
    return [secret for secret in (dsn.password, dsn.others.get("sslpassword")) if secret]


def said(error: BaseException) -> str:
    """Say in a few words what went wrong."""
    if isinstance(error, psycopg2.Error):
        if error.pgcode is not None and error.diag.message_primary is not None:
            return f"{error.diag.message_primary} (SQLSTATE {error.pgcode})"
        return _libpq_said(str(error))
    if isinstance(error, OSError):
        return trouble(error)
    if isinstance(error, UnreachedError):
        return "no answer"
    if isinstance(error, ConnectionClosed):
        return "connection closed"
    if isinstance(error, FloodError):
        return f"an answer of more than {MOST_ANSWER >> 20} MiB: ask for fewer rows"
    if isinstance(error, UnicodeDecodeError):
        return "an answer that is not UTF-8"
    return f"{type(error).__name__}: {error}"


def _libpq_said(text: str) -> str:
    """Leave out what the target says already, the advice below a line, and what is said twice.

    libpq says it once for each way it tried, as with and without TLS.
    """
    lines = [_NOISE.sub("", line, count=1) for line in text.splitlines() if not line.startswith("\t")]
    words = "; ".join(dict.fromkeys(line.strip() for line in lines if line.strip()))
    words = words.partition(": use the copy_")[0]
    return words[:1].lower() + words[1:] if words[1:2].islower() else words
