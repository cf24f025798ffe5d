from __future__ import annotations

import pytest

from procwrap.logs.labels import Raw
from procwrap.logs.logfmt import Logfmt
from procwrap.logs.structured import LONGEST_STRUCTURED, Structured, read_child_line
from tests.support import gologfmt

OURS = [("name", "web"), ("out", "stdout"), ("pid", Raw("31"))]


def levels_and_messages(block: bytes, *, finds_levels: bool = False) -> list[tuple[str, str]]:
    """Format a block and read level and message of each record."""
    data = Structured(Logfmt(OURS), finds_levels)(block, "now", False)
    decoded = [dict(gologfmt.decode(record)) for record in data[:-1].split(b"\n")]
    return [(record["level"], record["msg"]) for record in decoded]


def test_structured_lines_among_sentences() -> None:
    """Lines of all kinds in one block keep their order, and each is read for what it is."""
    block = b'one\ntwo words\nlevel=warn msg=three\n{"level":"error","msg":"four"}\n\nfive\n'
    assert levels_and_messages(block) == [
        ("info", "one"),
        ("info", "two words"),
        ("warning", "three"),
        ("error", "four"),
        ("info", ""),
        ("info", "five"),
    ]


def test_the_writer_s_level_wins_over_the_text() -> None:
    """With ``auto`` too, a line that states its level is not guessed at."""
    block = b"ERROR one\nlevel=debug msg=ERROR\nDEBUG two\n\nWARN three\nfour\n"
    assert levels_and_messages(block, finds_levels=True) == [
        ("error", "ERROR one"),
        ("debug", "ERROR"),
        ("debug", "DEBUG two"),
        ("info", ""),
        ("warning", "WARN three"),
        ("info", "four"),
    ]


def test_a_block_of_one_level_found_in_the_text() -> None:
    """A run of errors is written as errors."""
    assert levels_and_messages(b"ERROR a\nERROR b\n", finds_levels=True) == [
        ("error", "ERROR a"),
        ("error", "ERROR b"),
    ]


@pytest.mark.parametrize(
    "line", [b'{"level":"info","msg":"%b"}', b'level=info msg="%b"', b'{"severity":"info","msg":"%b"}']
)
def test_very_long_lines_are_not_taken_apart(line: bytes) -> None:
    """The reactor never has to wait for a line of 64 KiB or more; it stays whole, as a message."""
    room = LONGEST_STRUCTURED - len(line) + 2
    assert read_child_line(line % (b"x" * room)) == ("info", "x" * room, [])
    assert read_child_line(line % (b"x" * (room + 1))) is None


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'{"msg":"x"}', b"level", b' {"level":"info"}', b"{level=info}"]
)
def test_other_lines_are_sentences(line: bytes) -> None:
    """A line without a stated level is text."""
    assert read_child_line(line) is None
