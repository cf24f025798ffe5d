from __future__ import annotations

import json
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.client.sse import Event, Reader, TooLargeError
from procwrap.web import sse


def read(*pieces: bytes) -> list[Event]:
    """Read a stream that comes in these pieces."""
    reader = Reader()
    return [event for piece in pieces for event in reader.feed(piece)]


def test_an_event() -> None:
    """Kind, data of several lines, and id; comments and what is unknown are none of it."""
    stream = b": alive\n\nid: 7\nevent: lifecycle\nretry: 5\ndata: a\ndata:b\ndata\n\n"
    assert read(stream) == [Event("lifecycle", "a\nb\n", "7")]


def test_a_kind_is_for_one_event_and_an_id_for_all_that_follow() -> None:
    """As the standard has it."""
    assert read(b"id: 7\nevent: x\ndata: 1\n\ndata: 2\n\n") == [
        Event("x", "1", "7"),
        Event("message", "2", "7"),
    ]


def test_an_event_without_data_is_none() -> None:
    """Nothing is told about it."""
    assert read(b"event: x\n\n\n\ndata: 1") == []


def test_ends_of_lines() -> None:
    """A carriage return before the newline is none of the line."""
    assert read(b"data: a\r\n\r\n") == [Event("message", "a")]


@given(st.lists(st.tuples(st.text(), st.integers(0, 10**6))), st.data())
def test_what_procwrap_writes_is_read(values: list[tuple[str, int]], data: st.DataObject) -> None:
    """However the stream is broken into pieces."""
    stream = b"".join(sse.event("lifecycle", value, number) + sse.ALIVE for value, number in values)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    ends = [0, *cuts, len(stream)]
    found = read(*(stream[begin:end] for begin, end in pairwise(ends)))
    assert [(json.loads(event.data), int(event.last_id)) for event in found] == values


@given(st.lists(st.binary(max_size=20)))
def test_any_bytes(pieces: list[bytes]) -> None:
    """Nothing that comes in ends in a traceback."""
    read(*pieces)


@pytest.mark.parametrize("piece", [b"data: xxxxx\n", b"x" * 12])
def test_what_grows_without_an_end(piece: bytes) -> None:
    """An event, or a line, is given up when it has become too large."""
    reader = Reader(largest=100)
    with pytest.raises(TooLargeError):
        list(chain.from_iterable(map(reader.feed, [piece] * 100)))


def test_many_events_are_not_one_large_one() -> None:
    """The bound is on each."""
    reader = Reader(largest=100)
    for _ in range(100):
        assert len(list(reader.feed(b"data: " + b"x" * 90 + b"\n\n"))) == 1
