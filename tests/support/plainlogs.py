"""The records of a child's lines, written one character at a time from docs/reference/logs.md.

Slow and obvious on purpose: what ``procwrap.logs`` does to whole blocks is compared with it.
"""

from __future__ import annotations

import json
import string

from procwrap.logs.source import Source
from procwrap.logs.structured import read_child_line

BARE = set(string.ascii_letters + string.digits + "-._/@^+")
NAMED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escaped(text: str) -> str:
    """Escape quotes, backslashes and control characters."""
    pieces = []
    for character in text:
        if character in NAMED:
            pieces.append(NAMED[character])
        elif ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0:
            pieces.append(f"\\u{ord(character):04x}")
        else:
            pieces.append(character)
    return "".join(pieces)


def logfmt_value(text: str) -> str:
    """Quote a value unless it is bare."""
    return text if text and set(text) <= BARE else f'"{escaped(text)}"'


def logfmt_record(
    line: bytes, stamp: str, source: Source, level: str = "info", *, partial: bool = False
) -> bytes:
    """Write the record of a plain line."""
    pairs = [("time", stamp), ("level", level), ("msg", line.decode(errors="replace"))]
    pairs += [("name", source.name), ("out", source.out), ("pid", str(source.pid)), *source.labels]
    pairs += [("partial", "true")] if partial else []
    return " ".join(f"{key}={logfmt_value(value)}" for key, value in pairs).encode() + b"\n"


def json_fields(
    line: bytes, stamp: str, source: Source, *, partial: bool = False
) -> list[tuple[str, object]]:
    """Return the fields of a plain line's JSON record."""
    pairs: list[tuple[str, object]] = [
        ("time", stamp),
        ("level", "info"),
        ("msg", line.decode(errors="replace")),
    ]
    pairs += [("name", source.name), ("out", source.out), ("pid", source.pid), *source.labels]
    return [*pairs, ("partial", True)] if partial else pairs


def json_pairs(record: bytes) -> list[tuple[str, object]]:
    """Read a JSON record with its keys in order, repeated ones included."""
    pairs: list[tuple[str, object]] = json.loads(record, object_pairs_hook=list)
    return pairs


def is_plain(line: bytes) -> bool:
    """Whether the writer of a line gave it no structure of its own."""
    return read_child_line(line) is None
