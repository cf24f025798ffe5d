from __future__ import annotations

import io
import os
import pty
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.client.screen import RED, Screen
from procwrap.core.printable import printable
from tests.support.client import Terminal


@given(st.text(st.characters()))
def test_nothing_reaches_the_terminal_that_it_obeys(text: str) -> None:
    """Control characters, turns of direction and broken text are shown and not done."""
    found = printable(text)
    assert found.isprintable()
    assert found == text or not text.isprintable()


def test_how_it_is_shown() -> None:
    """As Python writes it."""
    assert printable("a\x1b[2J\r\n\u202eb\x9b\ud800 é 日") == "a\\x1b[2J\\r\\n\\u202eb\\x9b\\ud800 é 日"


@pytest.mark.parametrize(
    ("environ", "colors"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm"}, True),
    ],
)
def test_colors(environ: dict[str, str], colors: bool) -> None:
    """On a terminal that has them, unless nobody wants them (https://no-color.org)."""
    text = Screen(Terminal(), io.StringIO(), environ).colored("a", RED)
    assert text == ("\x1b[31ma\x1b[0m" if colors else "a")
    assert Screen(io.StringIO(), io.StringIO(), environ).colored("a", RED) == "a"


def test_the_width_is_that_of_the_terminal() -> None:
    """A file has none, and a terminal that does not know it has none either."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb"), open(theirs, "w") as terminal:
        import fcntl
        import struct
        import termios

        assert Screen(terminal, io.StringIO(), {}).width is None
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 77, 0, 0))
        assert Screen(terminal, io.StringIO(), {}).width == 77
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 3, 0, 0))
        assert Screen(terminal, io.StringIO(), {}).width == 20
    assert Screen(io.StringIO(), io.StringIO(), {}).width is None


def test_a_record_goes_into_a_file_as_it_is(tmp_path: Path) -> None:
    """Byte by byte, in the order of the lines around it."""
    with open(tmp_path / "out", "w", encoding="utf-8") as out:
        screen = Screen(out, io.StringIO(), {})
        screen.record(b"\x1b[31m\xff\tred\r")
        screen.flush()
    assert (tmp_path / "out").read_bytes() == b"\x1b[31m\xff\tred\r\n"


def test_a_record_on_a_terminal() -> None:
    """What a child prints in the format ``free`` cannot move the cursor; tabs stay."""
    out = Terminal()
    Screen(out, io.StringIO(), {}).record(b"\x1b[31m\xff\tred\r")
    assert out.getvalue() == "\\x1b[31m\\xff\tred\\r\n"


def test_a_locale_that_has_no_such_characters(tmp_path: Path) -> None:
    """They are shown by their numbers."""
    with open(tmp_path / "out", "w", encoding="latin-1") as out:
        Screen(out, io.StringIO(), {}).line("é 日…")
    assert (tmp_path / "out").read_bytes() == b"\xe9 \\u65e5\\u2026\n"


def test_whether_anybody_reads() -> None:
    """A pipe whose other end is closed is read by nobody; of what is no descriptor nobody knows."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as out:
        screen = Screen(out, io.StringIO(), {})
        assert screen.is_read()
        os.close(reading)
        assert not screen.is_read()
    assert Screen(io.StringIO(), io.StringIO(), {}).is_read()


def test_stderr_follows_what_was_printed() -> None:
    """One line, and nothing in it that a terminal obeys."""
    err = io.StringIO()
    Screen(io.StringIO(), err, {}).say("a\x1bb")
    assert err.getvalue() == "a\\x1bb\n"
