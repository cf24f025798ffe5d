"""JSON text (RFC 8259) becomes a tree; strict, with places, and with duplicate keys refused.

PyYAML cannot stand in for it: it knows no tab as white space and no surrogate pairs, and keeps the last of
two equal keys without a word. The standard library's reader forgets where things stood.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from attrs import define

from procwrap.config.node import Kind, Mark, Node
from procwrap.config.problem import ConfigError
from procwrap.config.tree import Tree
from procwrap.core.printable import quoted

_BLANK = re.compile(r"[ \t\n\r]*")
_PIECE = re.compile(r'[^"\\\x00-\x1f]*')
_WORD = re.compile(r"[A-Za-z0-9.+_-]*")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\Z")
_HEX = re.compile(r"[0-9A-Fa-f]{4}")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_LITERALS = {"true": Kind.BOOLEAN, "false": Kind.BOOLEAN, "null": Kind.NULL}


def read(text: str, tree: Tree) -> Node:
    """Read one JSON value.

    Args:
        text: the whole text.
        tree: an empty tree; it gets the problems that don't keep the rest from being read.

    Raises:
        ConfigError: it is no JSON, or more than a config may be.
    """
    reader = _Reader(text, tree)
    if reader.peek():
        reader.value()
    if reader.peek():
        raise reader.expected("the end of the text")
    return tree.finish()


@define(eq=False)
class _Reader:
    """A place in the text that only moves forward.

    Attributes:
        counted: up to where lines have been counted, for the marks.
    """

    text: str
    tree: Tree
    at: int = 0
    line: int = 1
    line_start: int = 0
    counted: int = 0

    def peek(self) -> str:
        """Skip white space; the next character, or nothing at the end."""
        self.at += len(self._match(_BLANK))
        return self.text[self.at : self.at + 1]

    def value(self) -> None:
        """Read any value. Recursion is bounded, since the tree refuses what is nested too deep."""
        match self.peek():
            case "{":
                self._collection(Kind.MAPPING, "}", self._pair)
            case "[":
                self._collection(Kind.LIST, "]", self.value)
            case '"':
                self._string()
            case _:
                self._word()

    def expected(self, what: str) -> ConfigError:
        """The error for something else standing here; words are not shown, they may be secrets."""
        found = self.text[self.at : self.at + 1]
        got = "a word" if found.isalnum() else quoted(found) if found else "the end of the text"
        return self.tree.refusal(self._mark(), f"not valid JSON: expected {what}, got {got}")

    def _collection(self, kind: Kind, close: str, read_item: Callable[[], None]) -> None:
        self.tree.start(kind, self._mark())
        self.at += 1
        if self.peek() != close:
            read_item()
            while self.peek() == ",":
                self.at += 1
                read_item()
        if self.peek() != close:
            raise self.expected(f'"," or "{close}"')
        self.at += 1
        self.tree.end()

    def _pair(self) -> None:
        if self.peek() != '"':
            raise self.expected("a key in double quotes")
        self._string()
        if self.peek() != ":":
            raise self.expected('":" after the key')
        self.at += 1
        self.value()

    def _word(self) -> None:
        mark = self._mark()
        word = self._match(_WORD)
        kind = _LITERALS.get(word) or (Kind.NUMBER if _NUMBER.match(word) else None)
        if kind is None:
            raise self.expected("a value (text stands in double quotes)")
        self.at += len(word)
        self.tree.scalar(Node(kind, mark, word))

    def _string(self) -> None:
        mark = self._mark()
        self.at += 1
        pieces: list[str] = []
        while True:
            piece = self._match(_PIECE)
            pieces.append(piece)
            self.at += len(piece)
            match self.text[self.at : self.at + 1]:
                case '"':
                    break
                case "\\":
                    pieces.append(self._escape())
                case "":
                    raise self.tree.refusal(
                        mark, "not valid JSON: this text is never closed with a double quote"
                    )
                case _:
                    raise self.tree.refusal(
                        self._mark(), "not valid JSON: a control character or line end within text"
                    )
        self.at += 1
        self.tree.scalar(Node(Kind.TEXT, mark, "".join(pieces)))

    def _escape(self) -> str:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter != "u":
            if letter not in _ESCAPES:
                raise self._wrong_escape()
            self.at += 2
            return _ESCAPES[letter]
        code = self._unit()
        if 0xD800 <= code < 0xDC00 and self.text.startswith("\\u", self.at):
            low = self._unit()
            if 0xDC00 <= low < 0xE000:
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
        if 0xD800 <= code < 0xE000:
            raise self.tree.refusal(self._mark(), "not valid JSON: half of a surrogate pair stands alone")
        return chr(code)

    def _unit(self) -> int:
        digits = _HEX.match(self.text, self.at + 2)
        if digits is None:
            raise self._wrong_escape()
        self.at += 6
        return int(digits.group(), 16)

    def _wrong_escape(self) -> ConfigError:
        known = r"expected \" \\ \/ \b \f \n \r \t or \u and four hexadecimal digits"
        return self.tree.refusal(self._mark(), f"not valid JSON: unknown escape; {known}")

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        return found.group() if found else ""

    def _mark(self) -> Mark:
        self.line += self.text.count("\n", self.counted, self.at)
        start = self.text.rfind("\n", self.counted, self.at)
        self.line_start = start + 1 if start >= 0 else self.line_start
        self.counted = self.at
        return Mark(self.line, self.at - self.line_start + 1)
