"""A child's own logfmt lines, read as strictly as it takes to never mistake a sentence for one."""

from __future__ import annotations

import re

from procwrap.logs.childline import ChildLine, child_line

_KEY = r"""([^\x00-\x20="'\x7f]++)"""
_QUOTED = r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"'
_BARE = r"""([^\x00-\x20="']*+)"""

# A pair with the space behind it, or else all the rest of the line, which then is no logfmt.
_PAIR_OR_REST = re.compile(rf"{_KEY}=(?:{_QUOTED}|{_BARE})(?:[ \t]++|$)|(.++)")

# JSON's escapes, as go-logfmt reads them, and those of Go's %q, which logrus and others write.
_ESCAPE = re.compile(
    r"\\(?:u([Dd][89ABab][0-9A-Fa-f]{2})\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})"
    r"|u([0-9A-Fa-f]{4})|U00([0-9A-Fa-f]{6})|x([0-7][0-9A-Fa-f])|(.))"
)
_SHORT = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "'": "'",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}


def read_logfmt(text: str) -> ChildLine | None:
    """Read a line that consists of ``key=value`` pairs from its first character to its last.

    Returns:
        None if anything in it is no such pair, or if it has no ``level`` that we know.
    """
    found = _PAIR_OR_REST.findall(text)
    if not found or found[-1][3]:
        return None
    fields = [(key, quoted or bare) for key, quoted, bare, _ in found]
    if "\\" in text:
        try:
            fields = [(key, _ESCAPE.sub(_unescaped, quoted) or bare) for key, quoted, bare, _ in found]
        except ValueError:
            return None
    return child_line(text, fields, ("level",), ("msg",))


def _unescaped(found: re.Match[str]) -> str:
    """Return the character of an escape.

    Raises:
        ValueError: It is no escape that we know, so the line is not what it seems.
    """
    high, low, four, six, two, short = found.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
    if code := four or six or two:
        return chr(int(code, 16))
    if short not in _SHORT:
        raise ValueError(short)
    return _SHORT[short]
