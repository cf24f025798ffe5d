r"""Escapes that go-logfmt and JSON share: ``\"``, ``\\``, ``\n``, ``\r``, ``\t`` and ``\u00XX``.

Control characters are those of Unicode's category Cc: U+0000 to U+001F, U+007F and U+0080 to U+009F. The
last ones are escaped too because terminals obey them as they obey the escape character.
"""

from __future__ import annotations

import re

_NAMED = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_ESCAPES = {
    code: _NAMED.get(code, f"\\u{code:04x}") for code in (*range(0x20), 0x22, 0x5C, *range(0x7F, 0xA0))
}
_CONTROLS = {code: escape for code, escape in _ESCAPES.items() if code not in (0x22, 0x5C)}
_C1_ESCAPES = {code: escape for code, escape in _ESCAPES.items() if code >= 0x80}

UNSAFE = re.compile(r'[\x00-\x1f"\\\x7f-\x9f]')
_SURROGATE = re.compile("[\ud800-\udfff]")
_C1_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")

_HIGH = bytes(range(0x80, 0x100))
_HARMLESS = bytes(code for code in range(0x80) if code not in _ESCAPES) + b"\n"


def escape_text(text: str) -> str:
    """Return ``text`` as it stands between the double quotes of logfmt or JSON."""
    return text.translate(_ESCAPES) if UNSAFE.search(text) else text


def one_line(text: str) -> str:
    """Return ``text`` for a person to read on one line: only control characters are escaped."""
    return text.translate(_CONTROLS) if UNSAFE.search(text) else text


def encode(text: str) -> bytes:
    """Return ``text`` in UTF-8; half a surrogate pair, which JSON can name but UTF-8 cannot, is U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text).encode()


def escape_block(block: bytes, leftover: bytes) -> bytes:
    """Escape every line of a block at once; the newlines between the lines stay.

    Args:
        block: Lines as the child wrote them, in any bytes.
        leftover: The block without at least some of its letters and digits: much shorter, and whatever
            needs escaping is still in it.

    Returns:
        The block in valid UTF-8, each invalid sequence as U+FFFD.
    """
    suspects = leftover.translate(None, _HARMLESS)
    if not suspects:
        return block
    if b"\\" in suspects:  # first, for the others bring backslashes of their own
        block = block.replace(b"\\", b"\\\\")
    if not suspects.isascii():
        block = _escape_c1(_valid_utf8(block))
        suspects = suspects.translate(None, _HIGH)
    for code in set(suspects) - {0x5C}:
        block = block.replace(bytes((code,)), _ESCAPES[code].encode())
    return block


def _valid_utf8(block: bytes) -> bytes:
    """Replace what is not UTF-8; a newline is never part of what is replaced, so lines keep apart."""
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode(errors="replace").encode()
    return block


def _escape_c1(block: bytes) -> bytes:
    """Escape U+0080 to U+009F, whose lead byte 0xC2 is nothing but a lead byte in valid UTF-8."""
    return block.decode().translate(_C1_ESCAPES).encode() if _C1_CONTROL.search(block) else block
