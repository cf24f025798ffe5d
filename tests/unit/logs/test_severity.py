from __future__ import annotations

import pytest

from procwrap.logs.severity import known_name, known_number, level_in, may_name_levels


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("warn", "warning"),
        ("WARNING", "warning"),
        ("Err", "error"),
        ("eRRoR", "error"),
        ("critical", "fatal"),
        ("panic", "fatal"),
        ("FATAL", "fatal"),
        ("trace", "debug"),
        ("notice", "info"),
        ("info", "info"),
    ],
)
def test_loggers_names_become_the_five_levels(name: str, level: str) -> None:
    """What a logger calls its level, in any case, is one of the five."""
    assert known_name(name) == level


@pytest.mark.parametrize("name", ["", "5", "high", "informationalist", "ERROR!"])
def test_other_words_are_no_level(name: str) -> None:
    """A word that is no level is not guessed at."""
    assert known_name(name) is None


def test_numbers_are_those_of_pino() -> None:
    """JSON loggers of the pino family write numbers from 10 to 60."""
    levels = ["debug", "debug", "info", "warning", "error", "fatal"]
    assert [known_number(str(number)) for number in range(10, 70, 10)] == levels
    assert known_number("35") is None


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (b"CRITICAL: x", "fatal"),
        (b"x FATAL", "fatal"),
        (b"[ERROR] x", "error"),
        (b"x ERR x", "error"),
        (b"2026-11-21 WARNING x", "warning"),
        (b"WARN", "warning"),
        (b"DEBUG:x", "debug"),
        (b"INFO x", "info"),
        (b"", "info"),
        (b"an error occurred", "info"),
        (b"ERRORS MY_ERROR ERROR2 XERR DEBUGGER", "info"),
        (b"XERROR ERROR", "error"),
        (b"WARN while handling an ERROR", "warning"),
        ("ÄERROR".encode(), "error"),
    ],
)
def test_level_words(line: bytes, level: str) -> None:
    """The first level word in capitals decides, if it is a word of its own."""
    assert level_in(line) == level


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (b"<0>x", "fatal"),
        (b"<3>x", "error"),
        (b"<4>DEBUG x", "warning"),
        (b"<6>ERROR", "info"),
        (b"<31>x", "debug"),
        (b"<191>x", "debug"),
        (b"<192>x", "info"),
        (b"<x>", "info"),
        (b"x <3>", "info"),
        (b"E1121 20:03:04.567890 1 main.go:7] x", "error"),
        (b"W0101 x", "warning"),
        (b"F1231\tx", "fatal"),
        (b"I1121 ERROR x", "info"),
        (b"E1321 x", "info"),
        (b"E11215 x", "info"),
        (b"F1234 is a part", "info"),
        (b"x E1121 x", "info"),
    ],
)
def test_heads(line: bytes, level: str) -> None:
    """A syslog or klog head decides before any word does."""
    assert level_in(line) == level


@pytest.mark.parametrize("line", [b"<3>x", b"E1121 x", b"x ERR", b"FATAL", b"x WARN", b"DEBUG", b"CRITICAL"])
def test_a_block_with_a_level_is_looked_into(line: bytes) -> None:
    """No level is overlooked because of what stands around it."""
    for block in (line + b"\n", b"a\n" + line + b"\nb\n"):
        assert may_name_levels(block, block)


def test_an_ordinary_block_is_not_looked_into() -> None:
    """Lines without a level are told apart cheaply."""
    assert not may_name_levels(b"handled 3 < 4\nGET /x HTTP/1.1\n", b" < \n /. \n")
