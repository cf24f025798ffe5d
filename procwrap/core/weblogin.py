"""The user and password of a URL, as HTTP wants them."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import SplitResult, unquote


def basic_login(parts: SplitResult) -> str | None:
    """Return the value of the header ``Authorization`` (RFC 7617) for a URL; None when it names no user."""
    if parts.username is None:
        return None
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + b64encode(login.encode()).decode("ascii")
