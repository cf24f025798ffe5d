"""A tree becomes YAML text that reads back as the same tree."""

from __future__ import annotations

import re
from collections.abc import Iterator

from procwrap.config.node import Kind, Node

_PLAIN = re.compile(r"[A-Za-z/_][A-Za-z0-9/_.@%+=-]*(?: [A-Za-z0-9/_.@%+=-]+)*\Z")
"""What is text without quotes to every reader of YAML, unless it is one of the words."""
_WORDS = frozenset("y n yes no on off true false null none nan inf".split())  # noqa: SIM905
_MOST_PLAIN = 200
_BLOCK = re.compile(r"[^\s#](?:[^\n]*\n)+(?:[^\n]*[^\s])?\Z")
_PRINTABLE = re.compile(r"[\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*\Z")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def write(root: Node) -> str:
    """Write a tree in block style."""
    return "\n".join(_lines(root, "")) + "\n"


def _lines(node: Node, indent: str) -> Iterator[str]:
    """Yield the lines of a value that begins on a line of its own."""
    if node.kind is Kind.MAPPING and node.entries:
        for key, entry in node.entries.items():
            yield from _after(f"{indent}{_text(key)}:", entry.node, indent, is_key=True)
    elif node.kind is Kind.LIST and node.items:
        for item in node.items:
            yield from _after(f"{indent}-", item, indent, is_key=False)
    else:
        yield indent + _scalar(node)


def _after(start: str, node: Node, indent: str, *, is_key: bool) -> Iterator[str]:
    """Yield the lines of a value that follows ``key:`` or ``-``."""
    deeper = indent + "  "
    if node.entries or node.items:
        lines = _lines(node, deeper)
        if is_key:
            yield start
        else:
            yield f"{start} {next(lines).removeprefix(deeper)}"
        yield from lines
    elif node.kind is Kind.TEXT and _is_block(node.text):
        lines_of_text = node.text.split("\n")
        ends = lines_of_text[-1] == ""
        yield f"{start} {'|' if ends else '|-'}"
        for line in lines_of_text[:-1] if ends else lines_of_text:
            yield deeper + line if line else ""
    else:
        yield f"{start} {_scalar(node)}".rstrip()


def _is_block(text: str) -> bool:
    """Several lines that a block keeps as they are, such as a script."""
    if "\n" not in text or not _PRINTABLE.match(text) or "\ufeff" in text:
        return False
    lines = text.split("\n")
    return (
        bool(lines[0].strip())
        and not lines[0].startswith(" ")
        and not text.endswith("\n\n")
        and len(lines) > 1
    )


def _scalar(node: Node) -> str:
    match node.kind:
        case Kind.MAPPING:
            return "{}"
        case Kind.LIST:
            return "[]"
        case Kind.TEXT:
            return _text(node.text)
        case _:
            return node.text


def _text(text: str) -> str:
    if _PLAIN.match(text) and len(text) <= _MOST_PLAIN and text.lower() not in _WORDS:
        return text
    return '"' + "".join(_ESCAPES.get(char) or _quoted(char) for char in text) + '"'


def _quoted(char: str) -> str:
    code = ord(char)
    if char.isprintable() and code < 0x10000 and code not in (0xFEFF, 0xFFFE, 0xFFFF):
        return char
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
