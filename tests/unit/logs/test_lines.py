from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procwrap.logs.lines import Block, LineSplitter
from tests.support.childlines import chunked, streams


def split(stream: bytes, most: int = 100) -> list[Block]:
    """Split a whole stream that comes in one chunk."""
    splitter = LineSplitter(most)
    return splitter.split(stream) + splitter.finish()


def pieces(blocks: list[Block]) -> list[tuple[bytes, bool]]:
    """Take blocks apart into their lines."""
    return [(line, partial) for block, partial in blocks for line in block[:-1].split(b"\n")]


def test_complete_lines_come_out_as_one_block() -> None:
    """Lines that arrive together are handled together."""
    splitter = LineSplitter(100)
    assert splitter.split(b"one\ntwo\nthr") == [(b"one\ntwo\n", False)]
    assert splitter.split(b"ee\n") == [(b"three\n", False)]
    assert splitter.finish() == []


def test_a_last_line_without_newline_comes_out_at_the_end() -> None:
    """The last words of a process are not lost."""
    assert split(b"one\ntwo") == [(b"one\n", False), (b"two\n", False)]


def test_an_empty_stream_has_no_line() -> None:
    """A silent process makes no record."""
    splitter = LineSplitter(100)
    assert splitter.split(b"") == splitter.finish() == []


def test_one_carriage_return_before_the_newline_is_dropped() -> None:
    """Windows line ends are line ends; a carriage return elsewhere belongs to the text."""
    assert split(b"a\r\nb\r\r\n\rc\n\r\n") == [(b"a\nb\r\n\rc\n\n", False)]
    assert split(b"progress\r") == [(b"progress\r\n", False)]


def test_a_line_end_may_be_cut_by_a_chunk() -> None:
    """Where a chunk ends is not to be seen in the lines."""
    splitter = LineSplitter(100)
    assert splitter.split(b"a\r") == []
    assert splitter.split(b"\nb") == [(b"a\n", False)]


def test_a_line_at_the_limit_stays_whole() -> None:
    """The limit counts the text, not the line end."""
    assert split(b"12345678\n", 8) == [(b"12345678\n", False)]
    assert split(b"12345678\r\n", 8) == [(b"12345678\n", False)]
    assert split(b"12345678", 8) == [(b"12345678\n", False)]


def test_a_long_line_becomes_pieces() -> None:
    """All but the last piece are marked, and nothing is lost."""
    expected = [(b"12345678\n", True), (b"9abcdefg\n", True), (b"h\nx\n", False)]
    assert split(b"123456789abcdefgh\nx\n", 8) == expected


def test_a_long_line_amid_short_ones_leaves_these_whole() -> None:
    """Only the long line is cut."""
    expected = [(b"a\nb\n", False), (b"12345678\n", True), (b"9\nc\n", False)]
    assert split(b"a\nb\n123456789\nc\n", 8) == expected


def test_a_long_line_comes_out_before_its_end() -> None:
    """A line that never ends needs no more memory than the limit."""
    splitter = LineSplitter(8)
    assert splitter.split(b"1234567") == []
    assert splitter.split(b"89abcdefgh") == [(b"12345678\n", True), (b"9abcdefg\n", True)]
    assert splitter.finish() == [(b"h\n", False)]


def test_a_carriage_return_at_the_limit_waits_for_what_follows() -> None:
    """It depends on the next byte whether the line is over the limit."""
    splitter = LineSplitter(8)
    assert splitter.split(b"12345678\r") == []
    assert splitter.split(b"\n") == [(b"12345678\n", False)]
    assert splitter.split(b"12345678\r") == []
    assert splitter.finish() == [(b"12345678\n", True), (b"\r\n", False)]


def test_characters_are_not_cut() -> None:
    """A piece ends between UTF-8 characters, so each piece is text."""
    assert pieces(split("12345€67".encode(), 7)) == [(b"12345", True), ("€67".encode(), False)]
    assert pieces(split("1234😀67\n".encode(), 7)) == [(b"1234", True), ("😀67".encode(), False)]


def test_bytes_that_are_no_text_are_cut_at_the_limit() -> None:
    """Binary output is cut where the limit says."""
    assert pieces(split(b"\x80" * 20, 8)) == [(b"\x80" * 8, True), (b"\x80" * 8, True), (b"\x80" * 4, False)]


def test_a_tiny_limit_still_fits_every_character() -> None:
    """No limit makes the cutting stand still."""
    assert b"".join(line for line, _ in pieces(split("😀é".encode(), 1))) == "😀é".encode()


@given(chunked(), st.integers(1, 12))
def test_chunks_leave_no_trace(chunks: tuple[bytes, list[bytes]], most: int) -> None:
    """However a stream is cut into chunks, its lines and pieces are the same."""
    stream, parts = chunks
    splitter = LineSplitter(most)
    blocks = [block for part in parts for block in splitter.split(part)] + splitter.finish()
    assert pieces(blocks) == pieces(split(stream, most))


@given(streams, st.integers(1, 12))
def test_nothing_is_lost(stream: bytes, most: int) -> None:
    """The pieces put together are the stream's lines, none is too long, and the text stays the same."""
    whole = [b""]
    for line, partial in pieces(split(stream, most)):
        assert len(line) <= max(most, 4)
        whole[-1] += line
        if not partial:
            whole.append(b"")
    expected = stream.replace(b"\r\n", b"\n").split(b"\n")
    assert whole == (expected if not expected[-1] else [*expected, b""])


@given(streams, st.integers(1, 12))
def test_cutting_spoils_no_character(stream: bytes, most: int) -> None:
    """Decoding the pieces gives the same text as decoding the line, invalid bytes included."""
    text = "".join(
        line.decode(errors="replace") + ("" if partial else "\n")
        for line, partial in pieces(split(stream, most))
    )
    whole = "".join(line.decode(errors="replace") + "\n" for line, _ in pieces(split(stream, 10_000)))
    assert text == whole


def test_a_line_may_come_byte_by_byte() -> None:
    """A child that writes single bytes costs time in proportion, however long its line."""
    splitter = LineSplitter(256 * 1024)
    for _ in range(200_000):
        assert splitter.split(b"x") == []
    assert splitter.split(b"\n") == [(b"x" * 200_000 + b"\n", False)]


def test_memory_is_bounded_without_newlines() -> None:
    """Of 100 MB without a newline, no more than the limit is held at any time."""
    splitter = LineSplitter(256 * 1024)
    chunk = b"0123456789abcdef" * 4096
    given_out = 0
    for number in range(1, 1601):
        given_out += sum(len(block) - 1 for block, _ in splitter.split(chunk))
        assert number * len(chunk) - given_out <= 256 * 1024 + 1
    given_out += sum(len(block) - 1 for block, _ in splitter.finish())
    assert given_out == 1600 * len(chunk)
