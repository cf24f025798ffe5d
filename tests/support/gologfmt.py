"""What Go's go-logfmt (and so Loki's ``| logfmt``) makes of a line: its grammar, restated in Python.

It refuses what ``Decoder.ScanKeyval`` refuses: a quote or a second ``=`` in a bare value, a quote in a key, a
key with U+FFFD or invalid UTF-8, an unterminated or badly escaped quoted value. ``'`` is refused like ``"``,
since variants of the decoder take it for a quote as well.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|([\"\\/'bfnrt]))")
_SHORT = {b"b": "\b", b"f": "\f", b"n": "\n", b"r": "\r", b"t": "\t"}
_QUOTES = b"\"'"


class LogfmtSyntaxError(Exception):
    """The line is not logfmt."""


def decode(line: bytes) -> list[tuple[str, str]]:
    """Return the keys and values of one line without its newline.

    Raises:
        LogfmtSyntaxError: go-logfmt would stop here.
    """
    pairs: list[tuple[str, str]] = []
    at = 0
    while (at := _after_garbage(line, at)) < len(line):
        key, at = _key(line, at)
        value = b""
        if line[at : at + 1] == b"=":
            value, at = _value(line, at + 1)
        pairs.append((key, value.decode(errors="replace")))
    return pairs


def _after_garbage(line: bytes, at: int) -> int:
    while at < len(line) and line[at] <= 0x20:
        at += 1
    return at


def _key(line: bytes, start: int) -> tuple[str, int]:
    at = start
    while at < len(line) and line[at] > 0x20 and line[at] != ord("="):
        if line[at] in _QUOTES:
            raise LogfmtSyntaxError(f"unexpected quote in a key at {at}: {line!r}")
        at += 1
    if at == start:
        raise LogfmtSyntaxError(f"unexpected '=' at {at}: {line!r}")
    key = line[start:at].decode(errors="replace")
    if "\ufffd" in key:
        raise LogfmtSyntaxError(f"invalid key at {start}: {line!r}")
    return key, at


def _value(line: bytes, start: int) -> tuple[bytes, int]:
    if line[start : start + 1] == b'"':
        return _quoted(line, start)
    at = start
    while at < len(line) and line[at] > 0x20:
        if line[at] in _QUOTES or line[at] == ord("="):
            raise LogfmtSyntaxError(f"unexpected {line[at : at + 1]!r} in a value at {at}: {line!r}")
        at += 1
    return line[start:at], at


def _quoted(line: bytes, start: int) -> tuple[bytes, int]:
    at = start + 1
    escaped = False
    while at < len(line) and line[at] != ord('"'):
        escaped |= line[at] == ord("\\")
        at += 2 if line[at] == ord("\\") else 1
    if at >= len(line):
        raise LogfmtSyntaxError(f"unterminated quoted value at {start}: {line!r}")
    inner = line[start + 1 : at]
    return (_unquoted(inner) if escaped else inner), at + 1


def _unquoted(inner: bytes) -> bytes:
    """Undo JSON's escapes; with one escape in a value, bare control characters are invalid in it."""
    if any(code < 0x20 for code in inner) or b"\\" in _ESCAPE.sub(b"", inner):
        raise LogfmtSyntaxError(f"invalid quoted value: {inner!r}")

    def plain(found: re.Match[bytes]) -> bytes:
        if found[1]:
            return (
                chr(int(found[1], 16)).encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
            )
        return _SHORT.get(found[2], found[2].decode()).encode()

    return _ESCAPE.sub(plain, inner)
