"""``--pyroscope-url``: where the profiles of procwrap itself go, and whether there is what makes them."""

from __future__ import annotations

from procwrap.errors import UsageError
from procwrap.spec.profiling import Profiling

PACKAGE = "pyroscope-io"
OLDEST = (1, 2)
"""Older agents end the process when they are started as we do."""
INSTALL = "pip install 'procwrap[pyroscope]'"

_EXAMPLE = "http://pyroscope:4040"


def server(text: str) -> Profiling:
    """Read the URL of a server; a user and password may stand in it, and no message shows them."""
    # 3 ms that only those pay who have such a server.
    from urllib.parse import unquote, urlsplit

    from procwrap.config.weburl import server_url, without_login

    url = server_url(text, _EXAMPLE)
    parts = urlsplit(url)
    return Profiling(without_login(url), unquote(parts.username or ""), unquote(parts.password or ""))


def need_agent() -> None:
    """Make sure that the package is installed; it is not imported yet.

    Raises:
        UsageError: it is not, or is too old; the text says what to install.
    """
    # 10 ms, again only for them.
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version(PACKAGE)
    except PackageNotFoundError:
        raise UsageError(f"--pyroscope-url needs the package {PACKAGE}: {INSTALL}") from None
    if _release(found) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UsageError(f"--pyroscope-url needs {PACKAGE} {oldest} or newer, not {found}: {INSTALL}")


def _release(version: str) -> tuple[int, ...]:
    numbers = version.split(".")[:2]
    return tuple(int(number) if number.isdecimal() else 0 for number in numbers)
