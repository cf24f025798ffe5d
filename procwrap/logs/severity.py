"""The five levels, and how they are found in what others wrote."""

from __future__ import annotations

import re
import string

INFO = "info"

_LEVELS = {
    "debug": ("debug", "dbg", "trace", "verbose", "fine", "finer", "finest", "silly"),
    "info": ("info", "information", "informational", "inf", "notice", "default", "log"),
    "warning": ("warning", "warn", "wrn"),
    "error": ("error", "err", "eror", "severe"),
    "fatal": ("fatal", "critical", "crit", "panic", "dpanic", "alert", "emerg", "emergency", "ftl"),
}
_BY_NAME = {
    spelling: level
    for level, names in _LEVELS.items()
    for name in names
    for spelling in (name, name.upper(), name.title())
}

# pino and bunyan write these numbers; https://github.com/pinojs/pino/blob/main/docs/api.md#loggerlevels
_BY_NUMBER = {"10": "debug", "20": "debug", "30": "info", "40": "warning", "50": "error", "60": "fatal"}

_SYSLOG = ("fatal", "fatal", "fatal", "error", "warning", "info", "info", "debug")
_SYSLOG_HEAD = re.compile(rb"<(\d{1,3})>")
_HIGHEST_PRIORITY = 191

# klog heads: a letter, month and day, as in "E1121 20:03:04.567890       1 main.go:7] text".
_KLOG = {b"I": "info", b"W": "warning", b"E": "error", b"F": "fatal"}
_KLOG_HEAD = re.compile(rb"([IWEF])(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\s")

_HEADS = (b"<", *_KLOG)

_WORDS = {
    b"CRITICAL": "fatal",
    b"FATAL": "fatal",
    b"ERROR": "error",
    b"ERR": "error",
    b"WARNING": "warning",
    b"WARN": "warning",
    b"DEBUG": "debug",
}
_WORD = re.compile(rb"(?:CRITICAL|FATAL|ERR(?:OR)?|WARN(?:ING)?|DEBUG)(?![A-Za-z0-9_])")
_WORD_CHARACTER = (string.ascii_letters + string.digits + "_").encode()

# Whatever is not an upper-case letter or a newline; without it a block shrinks to a tenth, and each hint is
# still in it when it was in the block. A hint is necessary, not sufficient.
_NOT_CAPITAL = bytes(code for code in range(256) if not 0x41 <= code <= 0x5A and code != 0x0A)
_HINT = re.compile(rb"ERR|WARN|DEBUG|FATAL|CRITICAL")
_HINT_IN_BLOCK = re.compile(rb"ERR|WARN|DEBUG|FATAL|CRITICAL|(?:^|\n)[EWF]")


def known_name(text: str) -> str | None:
    """Return the level that a logger calls ``text``, in any case; None for a word that is no level."""
    return _BY_NAME.get(text) or _BY_NAME.get(text.lower())


def known_number(text: str) -> str | None:
    """Return the level of a JSON number as pino and bunyan write it; None for any other number."""
    return _BY_NUMBER.get(text)


def may_name_levels(block: bytes, leftover: bytes) -> bool:
    """Whether any line of a block could be other than ``info`` to ``level_in``; a cheap no for most blocks.

    Args:
        block: Complete lines, each ending in a newline.
        leftover: The block without at least some of its letters and digits, and with every ``<``.
    """
    if b"<" in leftover and (block.startswith(b"<") or b"\n<" in block):
        return True
    return _HINT_IN_BLOCK.search(block.translate(None, _NOT_CAPITAL)) is not None


def level_in(line: bytes) -> str:
    """Find the level of a line of text for the format ``auto``.

    A head decides first: syslog's ``<3>`` (RFC 3164, with or without a facility) or klog's ``E1121``. Then
    the first level word in capitals that is a word of its own. Else ``info``.
    """
    if line[:1] in _HEADS and (level := _head_level(line)):
        return level
    if _HINT.search(line.translate(None, _NOT_CAPITAL)):
        word = _WORD.search(line)
        while word:
            start = word.start()
            if start == 0 or line[start - 1] not in _WORD_CHARACTER:
                return _WORDS[word[0]]
            word = _WORD.search(line, word.end())
    return INFO


def _head_level(line: bytes) -> str | None:
    if (head := _SYSLOG_HEAD.match(line)) and (priority := int(head[1])) <= _HIGHEST_PRIORITY:
        return _SYSLOG[priority % 8]
    head = _KLOG_HEAD.match(line)
    return _KLOG[head[1]] if head else None
