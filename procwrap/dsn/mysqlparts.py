"""What a connection string of MySQL, MariaDB or ProxySQL says, however it is written."""

from __future__ import annotations

import re
from enum import Enum
from urllib.parse import unquote_to_bytes

from attrs import field, frozen

from procwrap.dsn.problem import DsnError

PORT = 3306
HOST = "127.0.0.1"

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Tls(Enum):
    """How a connection is encrypted, and what is asked of the server's certificate."""

    OFF = "off"
    PREFERRED = "encrypted if the server can, verified never"
    REQUIRED = "encrypted, not verified"
    VERIFY_CA = "encrypted, signed by an authority"
    VERIFY_FULL = "encrypted, signed by an authority for this very host"


@frozen
class MysqlOptions:
    """What the parameters say.

    Attributes:
        ca: file with the certificates of the authorities; None is the system's.
        certificate: file with the certificate that the client shows, and its key's file.
        charsets: of the connection, the first that the server knows; none leaves what the server says.
        cleartext_passwords: the password may be sent as it is when the server asks for it so.
        native_passwords: the method of MySQL 4.1 to 5.7 may be used.
        multi_statements: one query may be several.
        variables: of the session, set right after the login; the values are SQL.
    """

    tls: Tls = Tls.OFF
    ca: str | None = None
    certificate: tuple[str, str] | None = None
    charsets: tuple[str, ...] = ()
    collation: str | None = None
    cleartext_passwords: bool = False
    native_passwords: bool = True
    multi_statements: bool = False
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@frozen
class MysqlDsn:
    """Where a server is, who connects to which of its databases, and how.

    Attributes:
        socket: path of the Unix socket; None connects to ``host`` and ``port``.
        database: selected at the login; empty selects none.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    host: str = HOST
    port: int = PORT
    socket: str | None = None
    database: str = ""
    options: MysqlOptions = MysqlOptions()

    def __attrs_post_init__(self) -> None:
        named = {"user": self.user, "host": self.host, "socket": self.socket, "database": self.database}
        for part, value in named.items():
            # They end with a NUL on the wire, so one inside would end them early.
            if value and "\0" in value:
                raise DsnError(f"the {part} holds a NUL character")


def unescaped(text: str, part: str, *, plus: bool = False) -> str:
    """Decode ``%2F`` and its like, and with ``plus`` also ``+`` for a space.

    Raises:
        DsnError: a ``%`` escapes nothing, or the bytes are no UTF-8.
    """
    if _BAD_ESCAPE.search(text):
        raise DsnError(f"the {part} has a % without two hexadecimal digits after it: write %25 for a %")
    try:
        return unquote_to_bytes(text.replace("+", " ") if plus else text).decode()
    except UnicodeDecodeError:
        raise DsnError(f"the escaped characters of the {part} are not UTF-8") from None


def server(text: str) -> tuple[str, int]:
    """Read ``host``, ``host:port``, ``[::1]``, ``[::1]:port`` or ``:port``.

    Raises:
        DsnError: it is none of them.
    """
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        if not closed or (port and not port.startswith(":")):
            raise DsnError('the address is not closed: expected "[IPv6 address]:port"')
        port = port[1:] if port else str(PORT)
    elif text.count(":") > 1:
        host, port = text, str(PORT)
    else:
        host, colon, port = text.partition(":")
        port = port if colon else str(PORT)
    if re.search(r"[\s/@()\[\]]", host):
        raise DsnError('the address is malformed: expected "host:port" or "[IPv6 address]:port"')
    return host or HOST, _port(port)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65535):
        raise DsnError("the port is not a number from 1 to 65535")
    return int(text)
