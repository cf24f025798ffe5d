"""From blocks of a child's lines to records: whole blocks at once, line by line only where it must be.

Formatting line by line costs more than all the rest of procwrap together, so a block is first asked what it
contains. Deleting the ``BARE`` characters from it leaves few bytes, and from these it follows whether a line
is bare or empty, whether anything needs escaping, and whether a line could be structured by its writer. Most
blocks are none of it and become records by one ``bytes.replace``. The others are taken apart, and the runs of
plain lines between the special ones are still written as blocks.
"""

from __future__ import annotations

from typing import Protocol

from attrs import define, field

from procwrap.logs.childjson import read_json
from procwrap.logs.childline import ChildLine
from procwrap.logs.childlogfmt import read_logfmt
from procwrap.logs.logfmt import BARE
from procwrap.logs.severity import INFO, level_in, may_name_levels

LONGEST_STRUCTURED = 64 * 1024


class Shape(Protocol):
    """How a record looks: ``Logfmt`` or ``JsonLines``."""

    def block(self, block: bytes, leftover: bytes, level: str, stamp: str, *, partial: bool) -> bytes:
        """Write plain lines of one level."""

    def record(self, line: ChildLine, stamp: str) -> bytes:
        """Write one line that has its own level."""


@define(eq=False)
class Structured:
    """Formats the lines of one stream."""

    _shape: Shape
    _finds_levels: bool = False
    """Whether the level of a plain line is looked for in its text (the format ``auto``)."""
    _goes_on: bool = field(default=False, init=False)
    """Whether the next line is the end of one that was cut, so that its beginning means nothing."""

    def __call__(self, block: bytes, stamp: str, partial: bool) -> bytes:
        """Write the records of a block of complete lines.

        Args:
            block: One or more lines, each ending in a newline.
            stamp: The time to give them.
            partial: Whether they are pieces of a line that goes on.
        """
        if partial or self._goes_on:
            return self._piece(block, stamp, partial=partial)
        leftover = block.translate(None, BARE)
        if _may_be_structured(block, leftover) or (self._finds_levels and may_name_levels(block, leftover)):
            return self._line_by_line(block, stamp)
        return self._shape.block(block, leftover, INFO, stamp, partial=False)

    def _piece(self, block: bytes, stamp: str, *, partial: bool) -> bytes:
        """Write pieces, or the last piece and what follows it."""
        end = len(block) if partial else block.index(b"\n") + 1
        piece = block[:end]
        level = level_in(piece) if self._finds_levels else INFO
        record = self._shape.block(piece, piece.translate(None, BARE), level, stamp, partial=partial)
        self._goes_on = partial
        return record + self(block[end:], stamp, partial=False) if end < len(block) else record

    def _line_by_line(self, block: bytes, stamp: str) -> bytes:
        records: list[bytes] = []
        run: list[bytes] = []
        for line in block[:-1].split(b"\n"):
            child = read_child_line(line)
            if child is None:
                run.append(line)
                continue
            if run:
                records.append(self._plain(run, stamp))
                run = []
            records.append(self._shape.record(child, stamp))
        if run:
            records.append(self._plain(run, stamp))
        return b"".join(records)

    def _plain(self, lines: list[bytes], stamp: str) -> bytes:
        if not self._finds_levels:
            return self._of_one_level(lines, INFO, stamp)
        levels = [level_in(line) for line in lines]
        if len(set(levels)) == 1:
            return self._of_one_level(lines, levels[0], stamp)
        by_level: dict[str, list[bytes]] = {}
        for line, level in zip(lines, levels, strict=True):
            by_level.setdefault(level, []).append(line)
        records = {
            level: iter(self._of_one_level(group, level, stamp).split(b"\n"))
            for level, group in by_level.items()
        }
        return b"".join([b"%b\n" % next(records[level]) for level in levels])

    def _of_one_level(self, lines: list[bytes], level: str, stamp: str) -> bytes:
        block = b"\n".join(lines) + b"\n"
        return self._shape.block(block, block.translate(None, BARE), level, stamp, partial=False)


def read_child_line(line: bytes) -> ChildLine | None:
    """Read a line that its writer structured, in JSON or logfmt; None for any other line.

    Lines over 64 KiB are not taken apart: the reactor would have to wait too long for it.
    """
    if len(line) > LONGEST_STRUCTURED:
        return None
    if line.startswith(b"{"):
        if b'level"' in line or b'severity"' in line:
            return read_json(line.decode(errors="replace"))
    elif b"level=" in line:
        return read_logfmt(line.decode(errors="replace"))
    return None


def _may_be_structured(block: bytes, leftover: bytes) -> bool:
    """Whether ``read_child_line`` could find anything in the block; the leftover answers no for most."""
    if b"=" in leftover and b"level=" in block:
        return True
    return b"{" in leftover and (block.startswith(b"{") or b"\n{" in block)
