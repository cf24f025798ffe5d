"""MySQL's connection strings as URLs: ``mysql://user:password@host:port/database?name=value``."""

from __future__ import annotations

import re

from procwrap.dsn.mysqloptions import read_options
from procwrap.dsn.mysqlparts import HOST, PORT, MysqlDsn, server, unescaped
from procwrap.dsn.problem import DsnError

_SCHEME = re.compile(r"(mysql|mariadb)://", re.IGNORECASE)
_HINT = "in a user or password, / ? # @ : % are written %2F %3F %23 %40 %3A %25"


def is_url(text: str) -> bool:
    """Tell whether this is a URL of ours, be it a good one or not."""
    return _SCHEME.match(text) is not None


def read_url(text: str) -> MysqlDsn:
    """Read a URL for which is_url() is true.

    Raises:
        DsnError: it is malformed; the message says which part, and quotes nothing.
    """
    rest = text[text.index("://") + 3 :]
    if "#" in rest:
        raise DsnError(f"has a # ({_HINT})")
    place, _, query = rest.partition("?")
    authority, _, path = place.partition("/")
    login, _, address = authority.rpartition("@")
    user, _, password = login.partition(":")
    if "/" in path:
        raise DsnError(f"has a / after the name of the database ({_HINT})")
    host, port, socket = _place(address)
    parameters, given = _without_socket(query)
    return MysqlDsn(
        user=unescaped(user, "user"),
        password=unescaped(password, "password"),
        host=host,
        port=port,
        socket=given or socket,
        database=unescaped(path, "name of the database"),
        options=read_options(parameters, variables=False),
    )


def _place(address: str) -> tuple[str, int, str | None]:
    host = unescaped(address, "host")
    if host.startswith("/"):
        return HOST, PORT, host
    try:
        return (*server(host), None)
    except DsnError as error:
        raise DsnError(f"{error} ({_HINT})") from None


def _without_socket(query: str) -> tuple[str, str | None]:
    """Take out ``socket=/path``; an empty place is left, so that parameters are counted as written."""
    parameters, path = query.split("&"), None
    for index, parameter in enumerate(parameters):
        name, _, value = parameter.partition("=")
        if name in ("socket", "unix_socket"):
            parameters[index] = ""
            path = unescaped(value, "path of the socket", plus=True)
            if not path.startswith("/"):
                raise DsnError("the path of the socket does not begin with a /")
    return "&".join(parameters), path
