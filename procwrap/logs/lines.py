r"""Chunks of a stream into blocks of complete lines, in time linear in the bytes and in bounded memory.

A block is what the rest of the log path works on: one or more complete lines, each ending in ``\n``. A
line over the limit becomes several pieces, and where they are cut depends on the line alone, never on the
chunks in which it arrived.
"""

from __future__ import annotations

Block = tuple[bytes, bool]
"""Complete lines, each ending in a newline, and whether they are pieces of a line that goes on."""

LONGEST_CHARACTER = 4
"""Bytes of the longest UTF-8 sequence (RFC 3629): the smallest limit that can be cut between characters."""


class LineSplitter:
    r"""Holds the unfinished line of one stream and gives out the finished ones.

    The limit counts a line's bytes without its line end. A ``\r`` before the ``\n`` belongs to the line
    end and is dropped. At most the limit and one byte stay in memory between two chunks.
    """

    __slots__ = ("_most", "_tail")

    def __init__(self, max_line_bytes: int) -> None:
        """Start with an empty line.

        Args:
            max_line_bytes: The longest line that stays in one piece; less than 4 counts as 4.
        """
        self._tail = bytearray()
        self.limit(max_line_bytes)

    def limit(self, max_line_bytes: int) -> None:
        """Cut lines at another length from now on."""
        self._most = max(max_line_bytes, LONGEST_CHARACTER)

    def split(self, chunk: bytes) -> list[Block]:
        """Take the next bytes of the stream and return what they complete, in order."""
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._tail += chunk
            return self._overflow()
        block = b"".join((self._tail, memoryview(chunk)[:end])) if self._tail else chunk[:end]
        self._tail = bytearray(chunk[end:])
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n")
        blocks = [(block, False)] if len(block) <= self._most else self._within_limit(block)
        if len(self._tail) > self._most:
            blocks += self._overflow()
        return blocks

    def finish(self) -> list[Block]:
        """End the stream and return its last line, if that one had no newline."""
        blocks = self._overflow()
        if len(self._tail) > self._most:
            blocks.append(self._cut_tail())  # it ended in the \r that could have been half a line end
        if self._tail:
            blocks.append((bytes(self._tail) + b"\n", False))
            self._tail = bytearray()
        return blocks

    def _overflow(self) -> list[Block]:
        """Cut pieces off the unfinished line while it is certain to be over the limit."""
        pieces = []
        while len(self._tail) > self._most + self._tail.endswith(b"\r"):
            pieces.append(self._cut_tail())
        return pieces

    def _cut_tail(self) -> Block:
        cut = _between_characters(self._tail, self._most)
        piece = bytes(self._tail[:cut])
        del self._tail[:cut]  # moves the start of the buffer, not its bytes
        return piece + b"\n", True

    def _within_limit(self, block: bytes) -> list[Block]:
        """Cut the long lines of a block, hopping from limit to limit instead of from line to line."""
        blocks: list[Block] = []
        start = here = 0
        while here < len(block):
            newline = block.rfind(b"\n", here, here + self._most + 1)
            if newline >= 0:
                here = newline + 1
                continue
            if here > start:
                blocks.append((block[start:here], False))
            cut = _between_characters(block, here + self._most)
            blocks.append((block[here:cut] + b"\n", True))
            start = here = cut
        blocks.append((block[start:], False))
        return blocks


def _between_characters(text: bytes | bytearray, cut: int) -> int:
    """Return the last place at or before ``cut`` that does not split a UTF-8 character.

    Bytes that cannot be one character anyway (four continuation bytes in a row) are cut where it was asked.
    """
    for place in range(cut, cut - LONGEST_CHARACTER, -1):
        if text[place] & 0xC0 != 0x80:
            return place
    return cut
