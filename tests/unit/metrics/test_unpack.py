from __future__ import annotations

import gzip

import pytest

from procwrap.metrics.problem import BadExpositionError
from procwrap.metrics.unpack import BLOCK, MOST_LINE, blocks

TEXT = b"".join(b"line %d\n" % number for number in range(30_000))


@pytest.mark.parametrize("size", [1000, BLOCK, 10**9])
@pytest.mark.parametrize("gzipped", [False, True])
def test_whole_lines(size: int, gzipped: bool) -> None:
    """Blocks hold whole lines, are never much longer than their size, and together are the body."""
    body = gzip.compress(TEXT) if gzipped else TEXT
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    found = list(blocks(pieces, gzipped=gzipped))
    assert b"".join(found) == TEXT
    assert all(block.endswith(b"\n") for block in found)
    assert max(map(len, found)) <= BLOCK + 20


def test_the_last_line() -> None:
    """A missing newline at the end is added; nothing is nothing."""
    assert list(blocks([b"a\nb"], gzipped=False)) == [b"a\n", b"b\n"]
    assert list(blocks([], gzipped=False)) == list(blocks([], gzipped=True)) == []


def test_several_members() -> None:
    """Of gzip there may be several, one after the other, cut anywhere."""
    packed = gzip.compress(b"a\n") + gzip.compress(b"b\n")
    for place in range(len(packed)):
        assert b"".join(blocks([packed[:place], packed[place:]], gzipped=True)) == b"a\nb\n"


@pytest.mark.parametrize(
    ("pieces", "gzipped", "why"),
    [
        ([b"x" * 10] * 200_000, False, "more than 1 MiB"),
        ([gzip.compress(b"x\n" * 10**6)], True, "more than 1 MiB"),
        ([gzip.compress(b"x")[:-1]], True, "it was cut off within its gzip"),
        ([b"not gzip"], True, "it is not gzip, which its Content-Encoding says"),
        ([gzip.compress(b"x") + b"junk"], True, "it is not gzip, which its Content-Encoding says"),
        ([b"x" * (MOST_LINE + 1)], False, "a line of more than 256 KiB"),
    ],
)
def test_refused(pieces: list[bytes], gzipped: bool, why: str) -> None:
    """What is too much, or not in whole, is refused."""
    if why == "more than 1 MiB" and not gzipped:
        pieces = [piece + b"\n" for piece in pieces]
    with pytest.raises(BadExpositionError, match=why):
        list(blocks(pieces, gzipped=gzipped, most=1024 * 1024))
