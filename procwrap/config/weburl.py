"""URLs of HTTP servers; messages about them never show their text, in which a password may stand."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from procwrap.config.problem import WrongValueError

_UNPRINTABLE = re.compile(r"[\s\x00-\x20\x7f]")


def split_url(text: str, example: str) -> SplitResult:
    """Split a URL that begins with http:// or https:// and has a host or a port.

    Args:
        text: as somebody wrote it.
        example: of what is expected, for the message.

    Raises:
        WrongValueError: it is none.
    """
    expected = f"expected a URL such as {example}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise WrongValueError(f"{expected}; this one's host or port is malformed") from None
    if parts.scheme not in ("http", "https"):
        raise WrongValueError(f"{expected}; this one does not begin with http:// or https://")
    if _UNPRINTABLE.search(text) or port == 0 or not (parts.hostname or port):
        raise WrongValueError(f"{expected}; this one has no host, or white space in it")
    return parts


def with_host(parts: SplitResult) -> SplitResult:
    """Write ``localhost`` where only a port is given, as Go dials it, and configs for it are written."""
    login, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=login + at + ("localhost" + host if host.startswith(":") else host))


def server_url(text: str, example: str) -> str:
    """Return the URL of a server, its user and password included, to which paths can be added.

    Raises:
        WrongValueError: it is none, or has more than a path.
    """
    parts = with_host(split_url(text, example))
    if parts.query or parts.fragment:
        raise WrongValueError(f"expected a URL such as {example}; this one has something behind its path")
    if not without_login(parts.geturl()).isascii():
        raise WrongValueError(f"expected a URL such as {example}; this one has letters that no URL can hold")
    return parts._replace(path=parts.path.rstrip("/")).geturl()


def without_login(url: str) -> str:
    """Return a URL without the user and password in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
