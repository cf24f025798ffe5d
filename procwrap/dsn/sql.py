"""Connection strings of SQL databases, of whichever kind."""

from __future__ import annotations

import re

from procwrap.dsn.libpq import KEYWORDS
from procwrap.dsn.mysql import MysqlDsn
from procwrap.dsn.mysql import parse as parse_mysql
from procwrap.dsn.postgres import PostgresDsn
from procwrap.dsn.postgres import parse as parse_postgres
from procwrap.dsn.problem import DsnError

_SCHEME = re.compile(r"(?P<kind>postgres|postgresql|mysql|mariadb)(?:\+\w+)?(?=://)", re.IGNORECASE)
_KEYWORD = re.compile(r"\s*(\w+)\s*=")
_GO = re.compile(r"(?:.*@)?(?:tcp[46]?|unix)(?:\(.*\))?/|.*@/", re.DOTALL)
_EXPECTED = "expected postgresql://…, host=… user=…, mysql://… or user:password@tcp(host:port)/database"


def parse(text: str) -> PostgresDsn | MysqlDsn:
    """Read a connection string of PostgreSQL, MySQL or MariaDB.

    A scheme such as SQLAlchemy's ``postgresql+asyncpg`` counts as what stands before the plus.

    Raises:
        DsnError: it is none, or malformed; the message quotes nothing of it.
    """
    scheme = _SCHEME.match(text)
    if scheme is not None:
        plain = scheme["kind"].lower() + text[scheme.end() :]
        return parse_postgres(plain) if plain.startswith("p") else parse_mysql(plain)
    keyword = _KEYWORD.match(text)
    if keyword is not None and keyword[1] in KEYWORDS:
        return parse_postgres(text)
    if _GO.match(text):
        return parse_mysql(text)
    raise DsnError(_EXPECTED)
