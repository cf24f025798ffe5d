"""Where a RabbitMQ is and who connects, as AMQP URIs say it (https://www.rabbitmq.com/docs/uri-spec).

Where the specification leaves room, this reads a URI as Go's amqp091-go does, since that is where configs
with an AMQP probe come from: a path that is missing or just ``/`` is the virtual host ``/``, a path may have
further slashes, and a user without a password has the password ``guest``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, unquote_to_bytes

from attrs import evolve, field, frozen

from procwrap.dsn.amqpoptions import DEFAULTS, Options, read
from procwrap.dsn.problem import DsnError

GUEST = "guest"
LONGEST = 255
"""Bytes of a virtual host's name: it is a short string of the protocol (AMQP 0-9-1, 4.2.5.3)."""

_SCHEMES = {"amqp": 5672, "amqps": 5671}
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ENCODED = "is any of @ : / ? # in the user or password? They are written %40 %3A %2F %3F %23"


@frozen
class AmqpDsn:
    """A broker, one of its virtual hosts and a login.

    Attributes:
        host: a name, or an address without brackets.
        vhost: the name of the virtual host.
        secure: whether TLS is spoken.
        options: what the parameters say.
    """

    host: str = "localhost"
    port: int = 5672
    vhost: str = "/"
    user: str = GUEST
    password: str = field(default=GUEST, repr=False)
    secure: bool = False
    options: Options = DEFAULTS


def parse(text: str) -> AmqpDsn:
    """Read an AMQP URI.

    Raises:
        DsnError: it is none.
    """
    if not text.isprintable() or " " in text:
        raise DsnError("expected no spaces and no control characters: a space is written %20")
    scheme, found, rest = text.partition("://")
    scheme = scheme.lower()
    if not found or scheme not in _SCHEMES:
        raise DsnError("expected amqp://user:password@host:port/vhost or amqps://…")
    if "#" in rest:
        raise DsnError("expected no #: within a part it is written %23")
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    if "@" in path or "@" in query:
        # Most likely all before it belongs to a password with a / or a ? in it.
        raise DsnError(f"expected no @ behind the host; {_ENCODED}")
    userinfo, login, place = authority.rpartition("@")
    host, port = _place(place)
    user, password = _login(userinfo) if login else (GUEST, GUEST)
    return AmqpDsn(
        host=host or "localhost",
        port=port or _SCHEMES[scheme],
        vhost=_vhost(path),
        user=user,
        password=password,
        secure=scheme == "amqps",
        options=read(_parameters(query), secure=scheme == "amqps"),
    )


def with_login(dsn: AmqpDsn, user: str, password: str) -> AmqpDsn:
    """Return the same place with another login.

    Raises:
        DsnError: it cannot be sent.
    """
    return evolve(dsn, user=_sendable(user), password=_sendable(password))


def _place(text: str) -> tuple[str, int | None]:
    """Split ``host:port``; what is missing is empty or None."""
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        if not closed or (port and not port.startswith(":")) or ":" not in host:
            raise DsnError("expected an IPv6 address in brackets, such as [::1]:5672")
        return _decoded(host), _port(port[1:])
    host, _, port = text.partition(":")
    if ":" in port:
        raise DsnError(f"expected host:port, an IPv6 address in brackets; {_ENCODED}")
    return _decoded(host), _port(port)


def _port(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65535):
        raise DsnError(f"expected a port from 1 to 65535; {_ENCODED}")
    return int(text)


def _login(userinfo: str) -> tuple[str, str]:
    user, given, password = userinfo.partition(":")
    return _sendable(_decoded(user)), _sendable(_decoded(password)) if given else GUEST


def _sendable(text: str) -> str:
    # PLAIN (RFC 4616) separates user and password by NUL.
    if "\0" in text:
        raise DsnError("expected no NUL character in the user or the password")
    return text


def _vhost(path: str) -> str:
    vhost = _decoded(path) or "/"
    if len(vhost.encode()) > LONGEST:
        raise DsnError(f"expected the name of a virtual host with at most {LONGEST} bytes")
    return vhost


def _parameters(query: str) -> Mapping[str, list[str]]:
    """Split the parameters; each has all its values, in order."""
    found: dict[str, list[str]] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        found.setdefault(unquote(name), []).append(_decoded(value))
    return found


def _decoded(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise DsnError("expected two hexadecimal digits behind each %: a % itself is written %25")
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise DsnError("expected UTF-8 in what is written with %") from None
