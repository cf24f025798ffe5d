"""What came over the wire becomes blocks of whole lines, unpacked a little at a time and within a bound."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from procwrap.metrics.problem import BadExpositionError

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of one target, unpacked."""
MOST_LINE = 256 * 1024
BLOCK = 64 * 1024
"""Bytes that are worked on without a pause."""

_GZIP = 16 + zlib.MAX_WBITS


def blocks(pieces: Iterable[bytes], *, gzipped: bool, most: int = MOST_BYTES) -> Iterator[bytes]:
    """Yield the body in blocks of whole lines; the last line may lack its newline, and gets one.

    Args:
        pieces: the body as it came.
        gzipped: whether it has to be unpacked.
        most: bytes beyond which it is refused.

    Raises:
        BadExpositionError: it is too large, or cannot be unpacked.
    """
    total, rest = 0, b""
    for piece in _unpacked(pieces) if gzipped else _cut(pieces):
        total += len(piece)
        if total > most:
            raise BadExpositionError(f"more than {most // 1024 // 1024} MiB")
        whole, newline, tail = piece.rpartition(b"\n")
        if newline:
            yield rest + whole + newline
            rest = tail
        else:
            rest += piece
        if len(rest) > MOST_LINE:
            raise BadExpositionError(f"a line of more than {MOST_LINE // 1024} KiB")
    if rest:
        yield rest + b"\n"


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if len(piece) <= BLOCK:
            yield piece
        else:
            yield from (piece[start : start + BLOCK] for start in range(0, len(piece), BLOCK))


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    begun = False
    for piece in _cut(pieces):
        packed = piece
        while packed:
            if unpacker.eof:
                # A file of gzip may be several, one after the other (RFC 1952, section 2.2).
                unpacker = zlib.decompressobj(_GZIP)
            begun = True
            try:
                yield unpacker.decompress(packed, BLOCK)
            except zlib.error:
                raise BadExpositionError("it is not gzip, which its Content-Encoding says") from None
            packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    if begun and not unpacker.eof:
        raise BadExpositionError("it was cut off within its gzip")
