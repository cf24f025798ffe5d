"""Records in JSON, one object a line, with the same fields in the same order as logfmt."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from procwrap.logs.childline import ChildLine
from procwrap.logs.escape import encode, escape_block, escape_text
from procwrap.logs.labels import Field, Fields, Raw, child_fields


def members(fields: Sequence[Field]) -> str:
    """Return fields as they follow something else: each with a comma before it."""
    return "".join([f',"{escape_text(key)}":{_value(text)}' for key, text in fields])


@define(eq=False)
class JsonLines:
    """Writes the records of one source."""

    _ours: Sequence[Field]
    """What stands behind the message: name, out, pid and labels."""
    _admission: Fields = field(init=False)
    _behind: str = field(init=False)
    _tail: bytes = field(init=False)
    _partial_tail: bytes = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._admission = child_fields(self._ours)
        self._behind = members(self._ours)
        self._tail = encode(f'"{self._behind}}}\n')
        self._partial_tail = encode(f'"{self._behind},"partial":true}}\n')

    def block(self, block: bytes, leftover: bytes, level: str, stamp: str, *, partial: bool) -> bytes:
        """Write plain lines of one level, all at once; the arguments are those of ``Logfmt.block``."""
        head = f'{{"time":"{stamp}","level":"{level}","msg":"'.encode()
        tail = self._partial_tail if partial else self._tail
        text = escape_block(block, leftover)[:-1].replace(b"\n", tail + head)
        return b"".join((head, text, tail))

    def record(self, line: ChildLine, stamp: str) -> bytes:
        """Write one line that came with its own level and perhaps fields."""
        level, msg, fields = line
        rest = members(self._admission.admit(fields)) if fields else ""
        head = f'{{"time":"{stamp}","level":"{level}","msg":"{escape_text(msg)}"'
        return encode(f"{head}{self._behind}{rest}}}\n")


def _value(text: str) -> str:
    return text if isinstance(text, Raw) else f'"{escape_text(text)}"'
