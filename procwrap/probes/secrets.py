"""Keeping secrets out of what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from procwrap.core.secrets import HIDDEN, names_directory
from procwrap.spec.probe import SECRET_WORDS

_SECRET_NAME = re.compile(SECRET_WORDS, re.IGNORECASE)
_SHORTEST = 4


def looks_secret(name: str) -> bool:
    """Tell whether a parameter or variable of this name probably holds a secret."""
    return _SECRET_NAME.search(name) is not None


def shown_url(url: str) -> str:
    """Write a URL without user and password, without fragment, and with ``***`` for secret parameters."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(_shown_parameter(parameter) for parameter in parts.query.split("&"))
    return parts._replace(netloc=host, query=query, fragment="").geturl()


def _shown_parameter(parameter: str) -> str:
    name, given, _ = parameter.partition("=")
    return f"{name}={HIDDEN}" if given and looks_secret(name) else parameter


def secret_values(environment: Mapping[str, str]) -> list[str]:
    """Return the values of those variables whose names look secret."""
    return [
        value
        for name, value in environment.items()
        if looks_secret(name) and not names_directory(name, value)
    ]


def masked(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret in a text; ones too short to hide anything are left, or no word would survive."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text
