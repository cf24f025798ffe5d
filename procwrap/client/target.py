"""Where the procwrap is that is talked to, and with which token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from procwrap.client.words import Asked
from procwrap.config.controlpath import default_socket
from procwrap.core.printable import printable, quoted
from procwrap.core.token import LONGEST, is_token
from procwrap.errors import UsageError

SOCKET = "PROCWRAP_CONTROL_SOCKET"
TOKEN = "PROCWRAP_API_TOKEN"
TOKEN_FILE = "PROCWRAP_API_TOKEN_FILE"

LONGEST_SOCKET = 107
"""Bytes of a unix socket's path (unix(7): 108 with the zero at its end)."""


class Tls(NamedTuple):
    """How a certificate is checked: by the authorities of a file, the system's (None), or not at all."""

    authorities: str | None = None
    checked: bool = True


class Target:
    """Where procwrap is.

    Attributes:
        name: what messages call it.
        socket: path of the control socket, or None when it is reached over TCP.
        host: as in the URL, without brackets.
        port: over TCP.
        prefix: of every path, empty or such as ``/web-1``.
        tls: None is plain HTTP.
        token: the bearer token, which never shows.
    """

    def __init__(
        self,
        name: str,
        socket: str | None = None,
        host: str = "localhost",
        port: int = 80,
        prefix: str = "",
        tls: Tls | None = None,
        token: str | None = None,
    ) -> None:
        self.name = name
        self.socket = socket
        self.host = host
        self.port = port
        self.prefix = prefix
        self.tls = tls
        self.token = token

    def __repr__(self) -> str:
        return f"<Target {self.name}>"

    @property
    def tells_the_token(self) -> bool:
        """Whether the token travels where others can read it."""
        return (
            self.token is not None
            and self.socket is None
            and self.tls is None
            and not _is_loopback(self.host)
        )


def find(asked: Asked, environ: Mapping[str, str]) -> Target:
    """Find out where procwrap is, from the options and the environment.

    Raises:
        UsageError: they contradict each other, or one of them cannot be.
    """
    url = asked.text("url")
    if url is None:
        for name in ("token", "token-file", "cacert", "insecure"):
            if asked.options.get(name):
                raise UsageError(f"--{name} needs --url: the control socket needs none of it")
        return _by_socket(asked.text("socket"), environ)
    if asked.text("socket") is not None:
        raise UsageError("--socket and --url exclude each other")
    return _by_url(url, asked, _token(asked, environ))


def _by_socket(given: str | None, environ: Mapping[str, str]) -> Target:
    path = given or environ.get(SOCKET) or default_socket(environ.get("XDG_RUNTIME_DIR"))
    if given is None and path.lower() == "off":
        raise UsageError(
            f"{SOCKET} is off, so there is no control socket here: give --socket PATH or --url URL"
        )
    path = path.removeprefix("unix:")
    if "\0" in path or len(path.encode("utf-8", "surrogateescape")) > LONGEST_SOCKET:
        raise UsageError(f"the path of a socket has at most {LONGEST_SOCKET} bytes, got {quoted(path)}")
    return Target(path if path.isprintable() else quoted(path), socket=path)


def _by_url(url: str, asked: Asked, token: str | None) -> Target:
    from urllib.parse import urlsplit

    expected = "--url: expected http://host:port or https://host:port"
    if not (url.isprintable() and url.isascii()):
        raise UsageError(f"{expected}, got {quoted(url)}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"{expected}, got {quoted(url)}") from None
    if "@" in parts.netloc:
        raise UsageError(f"{expected}, without a user and password: a token is given with --token-file FILE")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or " " in url:
        raise UsageError(f"{expected}, got {quoted(url)}")
    secure = parts.scheme == "https"
    tls = Tls(asked.text("cacert"), not asked.flag("insecure")) if secure else None
    if tls is None and (asked.text("cacert") or asked.flag("insecure")):
        raise UsageError("--cacert and --insecure are about https://, and --url is http://")
    if port == 0:
        raise UsageError(f"{expected}, got {quoted(url)}")
    prefix = parts.path.rstrip("/")
    name = f"{parts.scheme}://{parts.netloc}{prefix}"
    return Target(name, None, host, port or (443 if secure else 80), prefix, tls, token)


def _token(asked: Asked, environ: Mapping[str, str]) -> str | None:
    if asked.text("token") is not None and asked.text("token-file") is not None:
        raise UsageError("--token and --token-file exclude each other")
    token, where = asked.text("token"), "--token"
    file = asked.text("token-file")
    if token is None and file is None:
        # As for procwrap itself, the file goes before the variable.
        token, where, file = environ.get(TOKEN) or None, TOKEN, environ.get(TOKEN_FILE) or None
    if file is not None:
        token, where = _read(file), printable(file)
    if token is None:
        return None
    if not is_token(token):
        raise UsageError(f"{where} holds no token: expected letters, digits and signs on one line")
    return token


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(LONGEST + 2).strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot read the token in {printable(path)}: {why}") from None


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.endswith(".localhost") or host.startswith("127.")
