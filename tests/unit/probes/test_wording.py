from __future__ import annotations

import errno
import socket

import pytest
from twisted.internet import error as failed

from procwrap.errors import ProbeError
from procwrap.probes.wording import LONGEST, missed, one_line, seconds, trouble, unexpected
from tests.support.probes import ScriptedProbe

PROBE = ScriptedProbe([""], target="127.0.0.1:5673", expected="to connect")


def test_missed() -> None:
    """A reason names what was looked at, what was seen and what was expected, in this order."""
    assert (
        missed(PROBE, "connection refused").reason
        == "127.0.0.1:5673: connection refused, expected to connect"
    )


def test_unexpected_keeps_the_probes_own_words() -> None:
    """What a probe said itself is not said again."""
    own = ProbeError("all said")
    assert unexpected(PROBE, own) is own


def test_unexpected_without_text() -> None:
    """An exception without a text is named."""
    assert unexpected(PROBE, KeyError()).reason == "127.0.0.1:5673: KeyError, expected to connect"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\nlines\r\n\tand tabs ", "two lines and tabs"),
        ("\x1b[31mred\x00\u2028", "[31mred"),
        ("at amqp://guest:gu@est@mq:5672/", "at amqp://***@mq:5672/"),
        ("", ""),
    ],
)
def test_one_line(text: str, line: str) -> None:
    """Foreign text cannot begin a line of its own, colour a terminal or show a password."""
    assert one_line(text) == line


def test_one_line_is_bounded() -> None:
    """However much a peer says, a reason stays short."""
    assert len(one_line("x" * 100_000)) == LONGEST


@pytest.mark.parametrize(
    ("duration", "text"), [(2.0, "2s"), (0.5, "0.5s"), (12.3456, "12.346s"), (90.0, "90s")]
)
def test_seconds(duration: float, text: str) -> None:
    """Durations read as people write them."""
    assert seconds(duration) == text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (failed.ConnectionRefusedError(errno.ECONNREFUSED, "x"), "connection refused"),
        (failed.NoRouteError(errno.ENETUNREACH, "x"), "network is unreachable"),
        (failed.ConnectError(errno.EMFILE, "x"), "too many open files"),
        (failed.TimeoutError(), "no answer"),
        (failed.ConnectError(string="odd"), "an error occurred while connecting: odd"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "no such file or directory"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "name or service not known"),
        (OSError("odd"), "odd"),
    ],
)
def test_trouble(error: failed.ConnectError | OSError, text: str) -> None:
    """Trouble has the name that the system gives it."""
    assert trouble(error) == text
