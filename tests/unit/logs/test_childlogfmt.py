from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.logs.childlogfmt import read_logfmt
from tests.support.plainlogs import logfmt_value


def test_level_message_and_the_rest() -> None:
    """A line of pairs gives its level, its message and its other fields in order."""
    line = 'a=1 level=warn msg="two words" b= c="" '
    assert read_logfmt(line) == ("warning", "two words", [("a", "1"), ("b", ""), ("c", "")])


def test_a_level_without_message_keeps_the_whole_line() -> None:
    """No text is lost for want of a msg."""
    assert read_logfmt("level=error err=boom") == ("error", "level=error err=boom", ())


@pytest.mark.parametrize(
    "line",
    [
        "error level=5 is bad",
        'foo "level=info"',
        "please set level=info msg=x",
        "level=info msg=x now",
        "level=high msg=x",
        "level= msg=x",
        "loglevel=info msg=x",
        'level=info msg="unterminated',
        'level=info msg="a"b',
        "level=info msg=a=b",
        'level=info msg=a"b"',
        "level=info =x",
        ' level=info msg="leading space"',
        'level=info msg="bad \\q escape"',
        'level=info msg="half \\u12 escape"',
        'level=info msg="\\xff"',
        "",
    ],
)
def test_a_line_that_only_looks_like_logfmt_is_a_sentence(line: str) -> None:
    """A line is taken apart only if all of it is pairs and its level is known."""
    assert read_logfmt(line) is None


def test_the_first_of_repeated_keys_counts() -> None:
    """The others are kept as fields."""
    assert read_logfmt("level=info msg=a level=error msg=b") == (
        "info",
        "a",
        [("level", "error"), ("msg", "b")],
    )


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (r"\"\\\/\b\f\n\r\t", '"\\/\b\f\n\r\t'),
        (r"\u20ac\u0000", "€\0"),
        (r"\ud83d\ude00", "😀"),
        (r"\a\v\x1b\x7f\U0001f600", "\a\v\x1b\x7f😀"),
        (r"it\'s", "it's"),
    ],
)
def test_escapes_of_go_and_json(escaped: str, text: str) -> None:
    """Both what go-logfmt and what logrus (Go's %q) write is read back."""
    assert read_logfmt(f'level=info msg="{escaped}"') == ("info", text, [])


@given(st.lists(st.tuples(st.text("abc", min_size=1), st.text())), st.text())
def test_what_a_logfmt_writer_writes_is_read_back(fields: list[tuple[str, str]], msg: str) -> None:
    """Any text survives a child's logfmt writer and our reader."""
    pairs = [("level", "info"), ("msg", msg), *fields]
    line = " ".join(f"{key}={logfmt_value(value)}" for key, value in pairs)
    assert read_logfmt(line) == ("info", msg, fields)


@given(st.text('ab=" \\level=info'))
def test_no_line_can_do_harm(line: str) -> None:
    """Any line is read or left alone."""
    found = read_logfmt(line)
    assert found is None or found[0] in {"info"}


def test_a_long_bad_line_is_refused_in_time() -> None:
    """A line made to confuse the reader costs time in proportion."""
    for bad in ('x="', "\\", '="', "a= ", '"'):
        assert read_logfmt("level=info " + bad * 20_000 + '"') is None
