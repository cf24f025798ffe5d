"""How the way to a value is written: ``processes[0].readiness.tcp``."""

from __future__ import annotations

import re

from procwrap.core.printable import quoted

_PLAIN = re.compile(r"[A-Za-z0-9_-]+\Z")


def under(path: str, key: str) -> str:
    """The path of a mapping's value.

    A key that holds ``=`` is cut there: it is most likely a whole ``NAME=value`` in the wrong place, and
    its value nobody's business.
    """
    name, equals, _ = key.partition("=")
    if _PLAIN.match(key) and len(key) <= 60:
        return f"{path}.{key}" if path else key
    return f"{path}[{quoted(name + equals)}]"


def item(path: str, index: int) -> str:
    """The path of a list's value."""
    return f"{path}[{index}]"
