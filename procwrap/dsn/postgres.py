"""PostgreSQL's connection strings: URIs and ``keyword=value``, as libpq reads them.

From "Connection Strings" of PostgreSQL's documentation (libpq). One thing is read more leniently: an ``@`` in
a password that was not written as ``%40``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from attrs import evolve, field, frozen

from procwrap.dsn.libpq import DEFAULTS, KEYWORDS, VARIABLES
from procwrap.dsn.problem import DsnError

SECRET = {"secret": True}
MOST_HOSTS = 8

_FIELDS = ("host", "hostaddr", "port", "user", "password", "dbname")

_SCHEME = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
_PAIR = re.compile(
    r"\s*(?P<word>\w+)\s*=\s*(?:'(?P<quoted>(?:[^'\\]|\\.)*)'(?!\S)|(?P<bare>(?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)\s*",
    re.DOTALL,
)
_HOST = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[^:]*))?\Z")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00")
_ENCODE = "write special characters of user and password as %XX (@ is %40, / is %2F)"


@frozen
class PostgresDsn:
    """Where and as whom, in libpq's own words; None is what is left open.

    Attributes:
        host, hostaddr, port: several are separated by commas.
        others: further settings by keyword, ``sslpassword`` among them.
    """

    host: str | None = None
    hostaddr: str | None = None
    port: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False, metadata=SECRET)
    dbname: str | None = None
    others: Mapping[str, str] = field(factory=dict, repr=False, metadata=SECRET)


@frozen
class Host:
    """One server.

    Attributes:
        name: a name, an address, or the directory of a Unix socket; empty for the usual directories.
        address: where it is, when ``hostaddr`` says so; then ``name`` is only what a certificate must have.
    """

    name: str
    port: int
    address: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is reached through a Unix socket."""
        return not self.address and self.name[:1] in ("", "/", "@")

    def __str__(self) -> str:
        place = self.name or self.address or "local"
        return f"[{place}]:{self.port}" if ":" in place else f"{place}:{self.port}"


def parse(text: str) -> PostgresDsn:
    """Read a URI ``postgresql://user:password@host:port/database?sslmode=…`` or ``host=… user=…``.

    Raises:
        DsnError: it is malformed, or has a setting that libpq does not know.
    """
    scheme = _SCHEME.match(text)
    dsn = _built(_of_uri(text[scheme.end() :]) if scheme else _of_pairs(text))
    try:
        hosts(dsn)
    except DsnError as error:
        # The port of a URI may be what stands before a "/" of its password.
        raise (DsnError(f"{error}; {_ENCODE}") if scheme else error) from None
    return dsn


def filled(dsn: PostgresDsn, environment: Mapping[str, str]) -> PostgresDsn:
    """Add what libpq would take from its variables in a process with this environment, then defaults."""
    found = {word: environment[name] for word, name in VARIABLES.items() if environment.get(name)}
    own = {word: getattr(dsn, word) or found.get(word) for word in _FIELDS}
    extra = {word: text for word, text in found.items() if word not in _FIELDS}
    return evolve(dsn, **own, others={**DEFAULTS, **extra, **dsn.others})


def hosts(dsn: PostgresDsn) -> tuple[Host, ...]:
    """Return the servers to try, in order; at least one.

    Raises:
        DsnError: a port is none, or there are more or fewer of one thing than of the other.
    """
    names, addresses, ports = (_split(text) for text in (dsn.host, dsn.hostaddr, dsn.port))
    count = max(len(names), len(addresses))
    if count > MOST_HOSTS:
        raise DsnError(f"expected at most {MOST_HOSTS} hosts, got {count}")
    if len(addresses) not in (1, count) or len(names) not in (1, count) or len(ports) not in (1, count):
        raise DsnError("expected as many ports and addresses as hosts")
    ports = ports * count if len(ports) == 1 else ports
    names = names * count if len(names) == 1 else names
    addresses = addresses * count if len(addresses) == 1 else addresses
    return tuple(
        Host(name, _port(port), address) for name, port, address in zip(names, ports, addresses, strict=True)
    )


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",")]


def _port(text: str) -> int:
    if not text:
        return 5432
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise DsnError("expected a port from 1 to 65535")
    return int(text)


def _built(settings: Mapping[str, str]) -> PostgresDsn:
    own = {word: settings.get(word) or None for word in _FIELDS}
    return PostgresDsn(**own, others={word: text for word, text in settings.items() if word not in _FIELDS})


def _of_uri(text: str) -> dict[str, str]:
    """Read what stands behind ``postgresql://``."""
    authority = re.split("[/?]", text, maxsplit=1)[0]
    path, _, query = text[len(authority) :].partition("?")
    if "@" in path + query:
        # Most likely the password has a "/" or "?", and what looks like the database is part of it.
        raise DsnError(f"expected no @ behind the host; {_ENCODE}")
    login, _, places = authority.rpartition("@")
    user, _, password = login.partition(":")
    settings = {"user": _decoded(user), "password": _decoded(password), "dbname": _decoded(path[1:])}
    settings |= _places(places)
    for pair in filter(None, query.split("&")):
        word, equals, value = pair.partition("=")
        word = _decoded(word)
        if word == "ssl" and value == "true":  # As JDBC writes it; libpq knows it too.
            word, value = "sslmode", "require"
        if word not in KEYWORDS or not equals:
            named = f"parameter {word!r}" if word.isidentifier() else "a parameter"
            raise DsnError(f"{named} is not one that PostgreSQL's libpq knows: remove it")
        settings[word] = _decoded(value)
    return settings


def _places(text: str) -> dict[str, str]:
    found = [_HOST.match(place) for place in text.split(",")]
    names, ports = [], []
    for match in found:
        if match is None:
            raise DsnError(f"expected host:port, an IPv6 address in brackets; {_ENCODE}")
        names.append(_decoded(match["v6"] or match["name"] or ""))
        ports.append(match["port"] or "")
    return {"host": ",".join(names), "port": ",".join(ports) if any(ports) else ""}


def _decoded(text: str) -> str:
    try:
        if _BAD_ESCAPE.search(text):
            raise ValueError
        return unquote_to_bytes(text).decode()
    except ValueError:
        raise DsnError("a % that begins no %XX: write % itself as %25") from None


def _of_pairs(text: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip()):
        match = _PAIR.match(text, at)
        if match is None:
            raise DsnError(
                "expected keyword=value; a value with spaces or quotes is written 'like \\'this\\''"
            )
        value = match["quoted"] if match["quoted"] is not None else match["bare"] or ""
        if match["word"] not in KEYWORDS:
            # Not named: it may be what follows a space in a password without quotes.
            raise DsnError(
                "a keyword is not one that PostgreSQL's libpq knows; values with spaces need quotes"
            )
        settings[match["word"]] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        at = match.end()
    return settings
