"""Connection strings of MySQL, MariaDB and ProxySQL: as Go's driver writes them, or as URLs.

The first form is ``[user[:password]@][net[(address)]]/[database][?name=value&…]``, described in
https://github.com/go-sql-driver/mysql#dsn-data-source-name. Its password is not escaped and may hold any
character: the last ``/`` begins the database, the last ``@`` before it ends the login, and the first ``:``
of the login begins the password. In a URL, ``mysql://user:password@host:port/database?name=value``,
everything is escaped.
"""

from __future__ import annotations

from procwrap.dsn.mysqloptions import read_options
from procwrap.dsn.mysqlparts import HOST, PORT, MysqlDsn, server, unescaped
from procwrap.dsn.mysqlurl import is_url, read_url
from procwrap.dsn.problem import DsnError

__all__ = ["MysqlDsn", "parse"]

SOCKET = "/tmp/mysql.sock"
"""Where Go's driver looks for the server when ``unix`` has no address."""

_TCP = ("tcp", "tcp4", "tcp6")
_EXPECTED = "expected user:password@tcp(host:port)/database, …@unix(/path)/database, or mysql://…"


def parse(text: str) -> MysqlDsn:
    """Read a connection string.

    Raises:
        DsnError: it is malformed; the message says which part, and quotes nothing.
    """
    if not text:
        raise DsnError(f"is empty: {_EXPECTED}")
    return read_url(text) if is_url(text) else _read_go(text)


def _read_go(text: str) -> MysqlDsn:
    before, slash, after = text.rpartition("/")
    if not slash:
        raise DsnError(f"has no /: {_EXPECTED}")
    login, _, net = before.rpartition("@")
    user, _, password = login.partition(":")
    database, _, query = after.partition("?")
    host, port, socket = _place(net)
    return MysqlDsn(
        user=user,
        password=password,
        host=host,
        port=port,
        socket=socket,
        database=unescaped(database, "name of the database"),
        options=read_options(query, variables=True),
    )


def _place(net: str) -> tuple[str, int, str | None]:
    network, bracket, address = net.partition("(")
    if network not in ("", "unix", *_TCP) or (bracket and not network):
        raise DsnError(
            "between the last @ and the last / stands neither tcp(host:port) nor unix(/path): "
            "perhaps a / in a parameter is not written %2F"
        )
    if bracket and not address.endswith(")"):
        raise DsnError("the address has no ) at its end: perhaps a / in a parameter is not written %2F")
    address = address.removesuffix(")")
    if network == "unix":
        return HOST, PORT, _path(address or SOCKET)
    return (*server(address), None)


def _path(address: str) -> str:
    if not address.startswith("/"):
        raise DsnError("the path of the socket does not begin with a /")
    return address
