"""What is special about Loki: its push format (``POST /loki/api/v1/push``), as JSON in gzip."""

from __future__ import annotations

import time
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from json.encoder import encode_basestring as quoted

from attrs import define, field, frozen

from procwrap.sinks.post import Answer
from procwrap.sinks.shipping import Parcel, Verdict

_LEVEL = 1
"""Of compression: the highest makes it 15 % smaller and takes five times as long."""
_GZIP = 16 + zlib.MAX_WBITS

SLICE = 500
"""Records that are written in one go."""
WORK = 64 * 1024
"""Bytes that are written and packed between two rests, which takes 0.5 ms."""
REST = 0.002
"""Seconds of a rest, in which the interpreter's lock is free for whoever reads the children's output.

Without rests a storm of output takes three times as long."""

OVERHEAD = 400
"""Bytes of memory of a bundle besides its records, times and counts: six objects, and what malloc adds."""


@frozen(eq=False)
class Bundle:
    """Records of one stream that follow each other.

    Attributes:
        stream: its labels, as JSON.
        data: the records, each ending in a newline.
        times: for each piece of the data, nanoseconds since the epoch of its first record; each of the others
            is one nanosecond later than the one before it.
        counts: for each piece, how many records it has.
        records: all of them.
    """

    stream: bytes
    data: bytes
    times: array[int]
    counts: array[int]
    records: int


@define(eq=False)
class LokiShipping:
    """A ``Shipping`` of bundles."""

    _headers: Mapping[str, str] = field(factory=dict)
    _sleep: Callable[[float], None] = time.sleep

    def size(self, item: Bundle, /) -> int:
        """Return the bytes of memory of a bundle."""
        return len(item.data) + 16 * len(item.times) + OVERHEAD

    def records(self, item: Bundle, /) -> int:
        """Return how many records are in a bundle."""
        return item.records

    def pack(self, items: tuple[Bundle, ...], /) -> Parcel:
        """Write bundles as a request; in a thread, since 1 MiB takes 10 ms."""
        packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
        packed, pieces, size = [], [], 0
        for piece in written(items):
            pieces.append(piece)
            size += len(piece)
            if size >= WORK:
                packed.append(packer.compress(b"".join(pieces)))
                pieces, size = [], 0
                self._sleep(REST)
        headers = {"content-type": "application/json", "content-encoding": "gzip", **self._headers}
        packed += [packer.compress(b"".join(pieces)), packer.flush()]
        return Parcel(b"".join(packed), headers)

    def judge(self, items: tuple[Bundle, ...], answer: Answer, /) -> Verdict[Bundle]:
        """Take it that Loki means 2xx for all of them."""
        return Verdict(sent=sum(item.records for item in items))


def written(items: tuple[Bundle, ...]) -> Iterator[bytes]:
    """Write the JSON of a request, piece by piece."""
    streams: dict[bytes, list[Bundle]] = {}
    for item in items:
        streams.setdefault(item.stream, []).append(item)
    start = b'{"streams":['
    for stream, bundles in streams.items():
        yield b'%s{"stream":%s,"values":[' % (start, stream)
        for number, bundle in enumerate(bundles):
            yield from _values(bundle, b"," if number else b"")
        yield b"]}"
        start = b","
    yield b"]}"


def _values(bundle: Bundle, comma: bytes) -> Iterator[bytes]:
    lines = bundle.data[:-1].decode("utf-8", "replace").split("\n")
    times = chain.from_iterable(map(_range, bundle.times, bundle.counts))
    values = zip(times, lines, strict=True)
    while some := [f'["{time}",{quoted(line)}]' for time, line in islice(values, SLICE)]:
        yield comma + ",".join(some).encode()
        comma = b","


def _range(first: int, count: int) -> range:
    return range(first, first + count)
