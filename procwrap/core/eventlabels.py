"""The labels of events: their names, and the file in which Kubernetes' downward API writes them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

MOST_IN_A_FILE = 1000
"""Labels of a file that are taken; a datagram holds fewer."""
LONGEST_VALUE = 8 * 1024
"""Characters of a value that are kept: no datagram holds more."""

_NAME = str.maketrans("-./", "___")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*\Z', re.DOTALL)
_ESCAPE = re.compile(
    rb"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)
_SIMPLE = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def label_name(name: str) -> str:
    """Return the name of a label as it is sent: ``-``, ``.`` and ``/`` become ``_``."""
    return name.translate(_NAME)


def read_labels(text: str, exclude: Collection[str] = ()) -> Mapping[str, str]:
    """Read a file of ``key="value"`` lines.

    The downward API quotes values as Go's ``strconv.Quote`` does. A value without quotes is taken as it is, a
    line without ``=`` is none, and of two labels of one name the later counts.

    Args:
        text: of the file.
        exclude: names that are left out, as they stand in the file or as they would be sent.
    """
    found: dict[str, str] = {}
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        name = name.strip()
        sent = label_name(name)
        if not equals or not name or name in exclude or sent in exclude:
            continue
        if len(found) >= MOST_IN_A_FILE and sent not in found:
            break
        found[sent] = _unquoted(value.strip())[:LONGEST_VALUE]
    return found


def _unquoted(value: str) -> str:
    quoted = _QUOTED.match(value)
    if quoted is None:
        return value.replace('"', "")
    inside = quoted[1]
    if "\\" not in inside:
        return inside
    # Bytes that are no UTF-8 are written \xff, so the whole is unescaped as bytes.
    return _ESCAPE.sub(_meant, inside.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def _meant(escape: re.Match[bytes]) -> bytes:
    byte, short, long, octal, single = escape.groups()
    if byte is not None:
        return bytes([int(byte, 16)])
    if octal is not None:
        return bytes([int(octal, 8) & 0xFF])
    if single is not None:
        return _SIMPLE.get(single, single)
    code = int(short or long, 16)
    is_character = code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return (chr(code) if is_character else "\ufffd").encode()
