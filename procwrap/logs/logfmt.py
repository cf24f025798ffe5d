"""Records in logfmt: ``time="…" level=info msg="…" name=web out=stdout pid=31``, then all other fields."""

from __future__ import annotations

import string
from collections.abc import Sequence

from attrs import define, field

from procwrap.logs.childline import ChildLine
from procwrap.logs.escape import UNSAFE, encode, escape_block, escape_text
from procwrap.logs.labels import Field, Fields, child_fields

BARE = (string.ascii_letters + string.digits + "-._/@^+").encode()
"""Characters that need no quotes; a value that has any other, or none, is quoted."""

_BARE_TEXT = BARE.decode()


def pairs(fields: Sequence[Field]) -> str:
    """Return fields as they follow something else: each with a space before it, bare or quoted."""
    return "".join(
        [
            f" {key}={text}"
            if text and not text.strip(_BARE_TEXT)  # has nothing else, not even in the middle
            else f' {key}="{escape_text(text) if UNSAFE.search(text) else text}"'
            for key, text in fields
        ]
    )


@define(eq=False)
class Logfmt:
    """Writes the records of one source."""

    _ours: Sequence[Field]
    """What stands behind the message: name, out, pid and labels."""
    _admission: Fields = field(init=False)
    _behind: str = field(init=False)
    _tail: bytes = field(init=False)
    _partial_tail: bytes = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._admission = child_fields(self._ours)
        self._behind = pairs(self._ours)
        self._tail = encode(f"{self._behind}\n")
        self._partial_tail = encode(f"{self._behind} partial=true\n")

    def block(self, block: bytes, leftover: bytes, level: str, stamp: str, *, partial: bool) -> bytes:
        """Write plain lines of one level, all at once.

        Args:
            block: Lines, each ending in a newline.
            leftover: The block without the ``BARE`` characters.
            level: The level of them all.
            stamp: The time of them all.
            partial: Whether they are pieces of a line that goes on.
        """
        head = f'time="{stamp}" level={level} msg='.encode()
        tail = self._partial_tail if partial else self._tail
        text = escape_block(block, leftover)[:-1]
        if leftover.startswith(b"\n") or b"\n\n" in leftover:
            return b"".join((head, _some_bare(text, leftover, tail + head), tail))
        text = text.replace(b"\n", b'"%b%b"' % (tail, head))
        return b"".join((head, b'"', text, b'"', tail))

    def record(self, line: ChildLine, stamp: str) -> bytes:
        """Write one line that came with its own level and perhaps fields."""
        level, msg, fields = line
        msg_pair = pairs((("msg", msg),))
        rest = pairs(self._admission.admit(fields)) if fields else ""
        return encode(f'time="{stamp}" level={level}{msg_pair}{self._behind}{rest}\n')


def _some_bare(text: bytes, leftover: bytes, between: bytes) -> bytes:
    """Quote the lines that need it: those with something left over, and the empty ones."""
    lines = zip(text.split(b"\n"), leftover[:-1].split(b"\n"), strict=True)
    return between.join([line if line and not left else b'"%b"' % line for line, left in lines])
