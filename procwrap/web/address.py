"""Where HTTP is served: ``HEALTH_SOCKET`` as text, made into an address."""

from __future__ import annotations

import re

from attrs import frozen

from procwrap.errors import UsageError

_HOST_AND_PORT = re.compile(r"(?P<host>|\[[\w:.%-]+\]|[\w.-]+):(?P<port>[0-9]{1,5})", re.ASCII)
_DESCRIPTION = re.compile(r"(?P<kind>[A-Za-z][\w-]*):.", re.ASCII)
_ENDPOINTS = frozenset({"tcp", "tcp6", "ssl", "tls", "unix", "systemd", "haproxy"})
"""Endpoint types of Twisted and its usual plugins; ``tcp:80`` is one of these, not a host called tcp."""
_UNIX_FIELDS = ("address", "mode", "backlog", "lockfile")
_MODE = re.compile("0?[0-7]{3}")


@frozen
class Tcp:
    """A TCP port; an empty host is all interfaces."""

    host: str
    port: int


@frozen
class Unix:
    """A unix socket in the file system, created with these permissions."""

    path: str
    mode: int = 0o666


@frozen
class Described:
    """Anything else that Twisted's ``serverFromString`` understands."""

    description: str


def parse_address(text: str) -> Tcp | Unix | Described:
    """Understand ``:8111``, ``host:port``, ``[::1]:8111`` or a Twisted endpoint description.

    Raises:
        UsageError: it is none of these.
    """
    if not text.isprintable():
        raise not_an_address(text, "it contains characters that cannot be printed")
    kind = text.partition(":")[0].lower()
    found = _HOST_AND_PORT.fullmatch(text)
    if kind == "unix":
        return _unix(text)
    if found is not None and kind not in _ENDPOINTS:
        return Tcp(found["host"].strip("[]"), _port(text, found["port"]))
    if _DESCRIPTION.match(text) is not None:
        return Described(text)
    raise not_an_address(
        text, "expected :8111, host:port, [::1]:8111 or an endpoint such as unix:/run/procwrap.sock"
    )


def _port(text: str, digits: str) -> int:
    port = int(digits)
    if port > 65535:
        raise not_an_address(text, "a port is at most 65535")
    return port


def _unix(text: str) -> Unix:
    # Twisted's own lock file takes a pid for alive that is in truth ours, in the next container: a socket
    # left by a crash would stay for good. So the parts are read here; lockfile and backlog are ignored.
    parts = _fields(text)[1:]
    positional = [part for part in parts if "=" not in part]
    named = [part.partition("=") for part in parts if "=" in part]
    given = dict(zip(_UNIX_FIELDS, positional, strict=False)) | {name: value for name, _, value in named}
    mode = given.get("mode", "666")
    if not given.get("address") or not set(given) <= set(_UNIX_FIELDS):
        raise not_an_address(text, "expected unix:/path/of/socket or unix:/path/of/socket:mode=660")
    if _MODE.fullmatch(mode) is None:
        raise not_an_address(text, "mode is octal, such as 660")
    return Unix(given["address"], int(mode, 8))


def _fields(text: str) -> list[str]:
    """Split at colons; a backslash takes a colon (or a backslash) for what it is."""
    return [re.sub(r"\\(.)", r"\1", field) for field in re.findall(r"(?:\\.|[^:\\])+", text)]


def not_an_address(text: str, expected: str) -> UsageError:
    """Return the error to raise for such a text."""
    return UsageError(f"HEALTH_SOCKET {text[:80]!r}: {expected}")
