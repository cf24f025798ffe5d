from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.client import status
from procwrap.client.host import Answer
from procwrap.client.screen import Screen
from procwrap.client.table import display_width
from procwrap.errors import NoHostError, OrderRefusedError
from tests.support.client import WALL, Terminal, Tried, fleet, try_out, view

USAGE = {"cpu": 0.0321, "memoryBytes": 14_050_000, "processes": 2}
ENDED = {
    "lastExit": {"code": 7, "signal": None, "reason": "exit code 7"},
    "lastExitAt": "2026-11-21T20:00:00.000Z",
}
KILLED = {"lastExit": {"code": None, "signal": "SIGKILL", "reason": "ended by SIGKILL"}}
FAILED = {"lastExit": {"code": None, "signal": None, "reason": "cannot execute /x"}}


def tried(*views: dict[str, object], line: str = "status", terminal: bool = False, **host: object) -> Tried:
    """Run ``procwrap status``."""
    return try_out(status.run, line, {"/api/processes": fleet(*views, **host)}, terminal=terminal)


def test_the_table() -> None:
    """What somebody wants to know first, a line for each process, and below one that is not well why."""
    found = tried(
        view("api", usage=USAGE, restarts=3, **ENDED),
        view("db", "unhealthy", reason="127.0.0.1:5432: connection refused", **KILLED),
        view("job", "exited"),
        view("x", "failed", reason="cannot execute /x", **FAILED),
        view("off", "stopped", reason="stopped"),
    )
    assert found.out.splitlines() == [
        "NAME  STATE      HEALTH     PID  UPTIME  RESTARTS   CPU   MEMORY  LAST EXIT",
        "api   running    healthy     31    2h3m         3  3.2%  13.4MiB  code 7, 3m4s ago",
        "db    unhealthy  unhealthy   31    2h3m         0     -        -  SIGKILL",
        "  127.0.0.1:5432: connection refused",
        "job   exited     healthy      -       -         0     -        -  -",
        "x     failed     unhealthy    -       -         0     -        -  cannot execute /x",
        "  cannot execute /x",
        "off   stopped    -            -       -         0     -        -  -",
    ]
    assert (found.code, found.err) == (0, "")


def test_no_processes() -> None:
    """It says so."""
    assert tried().out == "no processes\n"


def test_names() -> None:
    """Only these, in this order, each once."""
    lines = tried(view("a"), view("b"), view("c"), line="status c a c").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["c", "a"]


def test_a_name_of_nobody() -> None:
    """Nothing is shown, and it says which one was meant."""
    with pytest.raises(OrderRefusedError) as caught:
        tried(view("api"), view("worker"), line="status appi api nothing")
    assert str(caught.value).split("\n") == [
        'no process is called "appi": did you mean api?',
        'no process is called "nothing": there are api, worker',
    ]


def test_json() -> None:
    """One document, as the API has it; with names only these."""
    found = json.loads(tried(view("a"), view("b", reason="é\x1b"), line="status --json b").out)
    assert [each["reason"] for each in found["processes"]] == ["é\x1b"]
    assert found["host"]["healthy"] is True


def test_json_is_safe_on_a_terminal() -> None:
    """No byte of it is a control character."""
    assert "\x1b" not in tried(view("b", reason="\x1b[2J"), line="status --json", terminal=True).out


@pytest.mark.parametrize(
    ("fact", "words"), [("shutdown", "procwrap is shutting down"), ("preempted", "preempted")]
)
def test_what_is_about_to_happen(fact: str, words: str) -> None:
    """It stands below the table."""
    assert words in tried(view("a"), **{fact: True}).out.splitlines()[-1]


def test_colors_on_a_terminal() -> None:
    """What is bad is red, also where it is the only thing that is."""
    out = tried(view("a"), view("b", "unhealthy"), terminal=True).out
    assert "\x1b[32mrunning  \x1b[0m" in out
    assert "\x1b[31munhealthy\x1b[0m" in out
    assert "\x1b" not in tried(view("a"), view("b", "unhealthy")).out


@pytest.mark.parametrize(
    "document", [{}, {"processes": 5}, {"processes": [5]}, {"processes": [{"name": 5}]}, {"error": "x"}]
)
def test_an_answer_without_processes(document: dict[str, Any]) -> None:
    """It is not that of a procwrap."""
    with pytest.raises(NoHostError, match="its answer holds no processes"):
        try_out(status.run, "status", {"/api/processes": Answer(200, document)})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = ("state", "healthy", "reason", "pid", "uptime", "restarts", "lastExit", "lastExitAt", "usage")


@given(
    st.text(), st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, JSON | st.text())), st.integers(20, 120)
)
def test_whatever_a_host_says(name: str, facts: dict[str, Any], width: int) -> None:
    """Every line fits the terminal, and holds no control character but our colours."""
    screen = Screen(Terminal(), io.StringIO(), {})
    screen.width = width
    for line in status.lines([{"name": name, **facts}], screen, WALL):
        plain = re.sub(r"\x1b\[\d+m", "", line)
        assert plain.isprintable()
        assert display_width(plain) <= width
