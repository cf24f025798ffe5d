from __future__ import annotations

import gzip
import json
from array import array
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from procwrap.sinks.lokipush import REST, WORK, Bundle, LokiShipping, written
from procwrap.sinks.post import Answer
from procwrap.sinks.shipping import Verdict

A, B = b'{"name": "a"}', b'{"name": "b"}'

lines = st.binary(max_size=40).map(lambda line: line.replace(b"\n", b""))
pieces = st.lists(st.tuples(st.integers(0, 2**62), st.lists(lines, min_size=1, max_size=5)), min_size=1)


def bundle(stream: bytes, *given: tuple[int, list[bytes]]) -> Bundle:
    """A bundle of pieces, each with its time and its lines."""
    return Bundle(
        stream,
        b"".join(line + b"\n" for _, found in given for line in found),
        array("q", [time for time, _ in given]),
        array("q", [len(found) for _, found in given]),
        sum(len(found) for _, found in given),
    )


def read(*items: Bundle) -> Any:
    """What a JSON reader makes of them."""
    return json.loads(b"".join(written(items)))


@given(pieces)
def test_any_bytes_are_json(given_: list[tuple[int, list[bytes]]]) -> None:
    """Whatever a process prints arrives as it was; what is no UTF-8 as U+FFFD."""
    values = [
        [str(time + number), line.decode("utf-8", "replace")]
        for time, found in given_
        for number, line in enumerate(found)
    ]
    assert read(bundle(A, *given_)) == {"streams": [{"stream": {"name": "a"}, "values": values}]}


def test_streams_are_put_together() -> None:
    """Each stream stands once in a request, with all it has in order."""
    items = [bundle(A, (1, [b"1"])), bundle(B, (5, [b"5"])), bundle(A, (2, [b"2", b"3"]), (9, [b""]))]
    assert read(*items) == {
        "streams": [
            {"stream": {"name": "a"}, "values": [["1", "1"], ["2", "2"], ["3", "3"], ["9", ""]]},
            {"stream": {"name": "b"}, "values": [["5", "5"]]},
        ]
    }


def test_a_request() -> None:
    """JSON in gzip, with the headers that were asked for; written with rests, so that children are read."""
    rests: list[float] = []
    shipping = LokiShipping({"x-scope-orgid": "team"}, rests.append)
    items = tuple(bundle(A, (n, [b"line %d" % n] * 10)) for n in range(1, 5000, 10))
    parcel = shipping.pack(items)
    assert gzip.decompress(parcel.body) == b"".join(written(items))
    assert parcel.headers == {
        "content-type": "application/json",
        "content-encoding": "gzip",
        "x-scope-orgid": "team",
    }
    assert rests == [REST] * (len(b"".join(written(items))) // WORK)


def test_sizes() -> None:
    """Records are counted, and bytes with all that they cost in memory."""
    shipping, item = LokiShipping(), bundle(A, (1, [b"one", b"two"]), (9, [b"three"]))
    assert shipping.records(item) == 3
    assert shipping.size(item) > len(item.data) + 16 * 2
    assert shipping.judge((item, item), Answer(204)) == Verdict(sent=6)
