"""The names of indices: a pattern with the date in it becomes the name for a moment."""

from __future__ import annotations

import re
from time import gmtime, strftime

LONGEST = 255
"""Bytes of a name, as Elasticsearch and OpenSearch have it."""

_DIRECTIVE = re.compile(r"%(.?)", re.DOTALL)
_DIGITS = frozenset("YymdHjGV")
"""What stands for digits: year, month, day, hour, day of the year, and year and week of ISO 8601."""
_FORBIDDEN = re.compile(r'[\\/*?"<>|,#:\s\x00-\x1f\x7f]')


def index_name(pattern: str, wall: float) -> str:
    """Return the name for a moment, in UTC.

    Args:
        pattern: one that nothing is wrong with.
        wall: seconds since the epoch.
    """
    return strftime(pattern, gmtime(wall)) if "%" in pattern else pattern


def wrong_with(pattern: str) -> str | None:
    """Say what is wrong with a pattern, or None: an index of its name can be created.

    The rules are those of Elasticsearch's create index API, which OpenSearch shares.
    """
    unknown = [word for word in _DIRECTIVE.findall(pattern) if word not in _DIGITS]
    if unknown:
        return f"expected %Y, %m, %d, %H, %j, %G or %V for the time, got %{unknown[0]}"
    name = index_name(pattern, 0.0)
    if found := _FORBIDDEN.search(name):
        return f"expected no {_shown(found[0])}: the name of an index cannot hold it"
    if name != name.lower():
        return "expected small letters: the name of an index has no capital ones"
    if name[:1] in ("-", "_", "+") or name in ("", ".", ".."):
        return "expected a letter or digit in front"
    if len(name.encode()) > LONGEST:
        return f"expected at most {LONGEST} bytes"
    return None


def _shown(character: str) -> str:
    if character.isspace():
        return "white space"
    return character if character.isprintable() else "control character"
