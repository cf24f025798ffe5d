from __future__ import annotations

import os
import pwd
import socket
from unittest.mock import patch

import pytest
from psycopg2 import OperationalError
from twisted.internet.error import ConnectionDone

from procwrap.dsn.postgres import filled, hosts, parse
from procwrap.probes.postgresline import FloodError, UnreachedError
from procwrap.probes.postgreswords import said, secrets_of, settings, shown
from procwrap.probes.sqldriver import SqlTrouble

PLACE = 'connection to server at "db" (192.0.2.1), port 5432 failed: '


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OperationalError(PLACE + "Connection refused\n\tIs the server running?\n"), "connection refused"),
        (OperationalError('FATAL:  role "x" does not exist\n'), 'role "x" does not exist'),
        (OperationalError(f"{PLACE}FATAL:  no\n{PLACE}FATAL:  no\n"), "no"),
        (OperationalError("SSL error: x\nFATAL:  no\n"), "SSL error: x; no"),
        (OperationalError("fe_sendauth: no password supplied\n"), "no password supplied"),
        (
            OperationalError("can't execute COPY TO: use the copy_to() method"),
            "can't execute COPY TO",
        ),
        (OperationalError(), ""),
        (UnreachedError(), "no answer"),
        (ConnectionDone(), "connection closed"),
        (FloodError(), "an answer of more than 16 MiB: ask for fewer rows"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), "an answer that is not UTF-8"),
        (socket.gaierror(-2, "Name or service not known"), "name or service not known"),
        (ValueError("x"), "ValueError: x"),
    ],
)
def test_said(error: Exception, words: str) -> None:
    """What went wrong is said once, without advice and without the place, which the target has."""
    assert said(error) == words


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("postgresql://u:p@db/app", "postgres db:5432/app"),
        ("postgresql://u:p@[::1]:1", "postgres [::1]:1"),
        ("postgresql://a,b:2/app", "postgres a:5432,b:2/app"),
        ("host=/run/pg dbname=app", "postgres /run/pg:5432/app"),
        ("dbname=app", "postgres local:5432/app"),
    ],
)
def test_shown(text: str, target: str) -> None:
    """The target has no user and no password."""
    assert shown(parse(text)) == target


def test_sockets() -> None:
    """A directory is libpq's host, without an address."""
    dsn = filled(parse("host=/run/pg user=u"), {})
    told = settings(dsn, hosts(dsn)[0], "/run/pg")
    assert (told["host"], told["hostaddr"]) == ("/run/pg", "")


def test_own_user() -> None:
    """Without any user it is ours, as with every libpq program; when we have no name, what to do is said."""
    dsn = filled(parse("host=db"), {})
    (place,) = hosts(dsn)
    assert settings(dsn, place, "192.0.2.1")["user"] == pwd.getpwuid(os.geteuid()).pw_name
    with patch.object(pwd, "getpwuid", side_effect=KeyError), pytest.raises(SqlTrouble, match="set PGUSER"):
        settings(dsn, place, "192.0.2.1")


def test_secrets() -> None:
    """The passwords of the user and of the key."""
    assert secrets_of(parse("host=db password=a sslpassword=b")) == ["a", "b"]
    assert secrets_of(parse("host=db")) == []
