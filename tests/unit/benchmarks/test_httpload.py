from __future__ import annotations

from tests.benchmarks.httpload import answer_length, percentile

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_an_answer_is_as_long_as_its_head_says() -> None:
    """The time of a request ends with the last byte of its body, not with the first packet."""
    assert answer_length(HEAD[:-1]) is None
    assert answer_length(HEAD) == len(HEAD) + 5
    assert answer_length(HEAD + b"hello") == len(HEAD) + 5


def test_a_chunked_answer_ends_with_its_last_chunk() -> None:
    """A server is free to send its answer that way."""
    assert answer_length(CHUNKED + b"5\r\nhello\r\n") is None
    whole = CHUNKED + b"5\r\nhello\r\n0\r\n\r\n"
    assert answer_length(whole) == len(whole)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """Nearest rank: 99 of 100 requests took no longer than the 99th percentile."""
    assert percentile(list(range(1, 101)), 0.99) == 99
    assert percentile([7], 0.99) == 7
