from __future__ import annotations

from procwrap.config.node import Kind, Mark, Node
from procwrap.config.problem import ConfigError, Problem
from procwrap.core.printable import printable, quoted
from procwrap.errors import ExitStatus


def test_one_line_a_problem_in_the_order_of_the_text() -> None:
    """Problems are sorted by place, each with file, line and column; one that has no place comes first."""
    error = ConfigError(
        "app.yaml",
        [
            Problem(Mark(12, 15), "processes[0].dir", "late"),
            Problem(Mark(2, 20), "b", "second"),
            Problem(Mark(2, 3), "a", "first"),
            Problem(None, "", "whole"),
        ],
    )
    assert str(error).split("\n") == [
        "app.yaml: whole",
        "app.yaml:2:3: a: first",
        "app.yaml:2:20: b: second",
        "app.yaml:12:15: processes[0].dir: late",
    ]
    assert error.exit_status == ExitStatus.USAGE


def test_a_problem_is_said_once() -> None:
    """The same problem, met twice, is one line."""
    problem = Problem(Mark(1, 1), "a", "wrong")
    assert str(ConfigError("f", [problem, problem])) == "f:1:1: a: wrong"


def test_more_problems_than_anybody_reads() -> None:
    """After a hundred lines the rest is counted."""
    error = ConfigError("f", [Problem(Mark(line, 1), "", "wrong") for line in range(1, 251)])
    lines = str(error).split("\n")
    assert (len(lines), lines[-1], len(error.problems)) == (101, "f: and 150 more problems", 250)


def test_nothing_breaks_the_line() -> None:
    """Line ends, escapes and invisible characters of a name or value appear escaped."""
    assert printable("a\nb\x1b[1m\u202e\ud800") == "a\\nb\\x1b[1m\\u202e\\ud800"
    assert quoted('say "no"\t') == '"say \\"no\\"\\t"'
    assert str(ConfigError("a\nb", [Problem(None, "", "wrong")])) == "a\\nb: wrong"


def test_long_values_are_cut() -> None:
    """A value of megabytes takes no more than its share of the line."""
    assert quoted("x" * 1_000_000) == '"' + "x" * 60 + '…"'


def test_a_login_is_not_shown() -> None:
    """A URL that stands in the wrong place does not give its password away."""
    assert quoted("amqp://guest:hunter2@mq:5672") == '"***@mq:5672"'
    assert quoted("me@home") == '"me@home"'


def test_repr_hides_values() -> None:
    """The text of a node may be a secret, so it is not in its repr."""
    assert "hunter2" not in repr(Node(Kind.TEXT, Mark(1, 1), "hunter2"))
