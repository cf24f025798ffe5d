from __future__ import annotations

from typing import Any

import pytest

from procwrap.client import logs
from procwrap.client.call import Call
from procwrap.client.crowd import Item
from procwrap.client.following import LOST
from procwrap.client.sse import OPEN, Event
from procwrap.errors import NoHostError, OrderRefusedError, UsageError
from tests.support.client import Tried, fleet, try_out, view

GONE = NoHostError("no procwrap at test", gone=True)
BROKEN = NoHostError("the connection broke")
LIST = {"/api/processes": fleet(view("a"), view("b"))}


def record(second: int, name: str) -> str:
    """Return a record of that second."""
    return f'time="2026-11-21T20:03:{second:02d}.000Z" level=info msg={second} name={name}'


def tried(line: str, says: dict[str, Any], terminal: bool = False) -> Tried:
    """Run ``procwrap logs``."""
    return try_out(logs.run, line, LIST | says, terminal=terminal)


def text(*records: str) -> bytes:
    """Return records as the host sends them."""
    return "".join(f"{each}\n" for each in records).encode()


def test_all_in_the_order_of_their_times() -> None:
    """A hundred of each unless another number is asked for."""
    a, b = [record(1, "a"), record(4, "a")], [record(2, "b"), record(3, "b")]
    says = {f"/api/processes/{name}/logs?lines=100": text(*lines) for name, lines in (("a", a), ("b", b))}
    found = tried("logs", says)
    assert found.out.splitlines() == [a[0], b[0], b[1], a[1]]
    assert (found.code, found.err) == (0, "")


def test_of_one() -> None:
    """As it stands there."""
    assert tried("logs b -n 2", {"/api/processes/b/logs?lines=2": text("x", "", "y")}).out == "x\n\ny\n"
    assert tried("logs b -n 0", {"/api/processes/b/logs?lines=0": b""}).out == ""


def test_a_name_of_nobody() -> None:
    """It says so, and prints nothing."""
    with pytest.raises(OrderRefusedError, match='no process is called "x"'):
        tried("logs a x", {})


def test_one_that_is_refused_does_not_keep_the_others() -> None:
    """It may have gone meanwhile."""
    says = {
        "/api/processes/a/logs?lines=100": OrderRefusedError("no such process"),
        "/api/processes/b/logs?lines=100": text("x"),
    }
    found = tried("logs", says)
    assert (found.code, found.out, found.err) == (1, "x\n", "a: no such process\n")


def test_a_host_that_goes_away() -> None:
    """That is the end of it."""
    found = tried("logs", dict.fromkeys([f"/api/processes/{name}/logs?lines=100" for name in "ab"], GONE))
    assert (found.code, found.out, found.err) == (3, "", "no procwrap at test\n")


def follow(*streams: list[Any], name: str = "a", lines: int = 100) -> dict[str, Any]:
    """Return what a process has to tell, stream by stream; at the end the host is gone."""
    first, *later = [list(stream) for stream in streams]
    where = f"/api/processes/{name}/logs?lines="
    return {f"{where}{lines}&follow": [first], f"{where}{logs.MISSED}&follow": later}


def followed(line: str, says: dict[str, Any]) -> tuple[str, str]:
    """Follow until the host is gone; return what was printed, and the messages."""
    found = tried(line, says)
    assert found.code == 3
    assert "the procwrap at /run/test.sock has gone\n" in found.err
    return found.out, found.err


def test_following_one() -> None:
    """First what there is, then what comes; at the end procwrap is gone, which is said."""
    out, err = followed("logs -f a", follow([Event("message", "1\n2"), Event("message", "3")]))
    assert out == "1\n2\n3\n"
    assert err.startswith("the connection to /run/test.sock is lost: procwrap has ended it; trying again\n")


def test_what_came_while_the_connection_was_lost() -> None:
    """It is printed once, and what had been printed before is not repeated."""
    first = [Event("message", "1\n2"), Event("message", "3"), BROKEN]
    second = [Event("message", "1\n2\n3\n4\n5"), Event("message", "3")]
    out, err = followed("logs -f a", follow(first, second))
    assert out.split() == ["1", "2", "3", "4", "5", "3"]
    assert err.splitlines()[:2] == [
        "the connection to /run/test.sock is lost: the connection broke; trying again",
        "connected to /run/test.sock again",
    ]


def test_more_came_than_is_kept() -> None:
    """Then everything is printed that is still there."""
    out, _ = followed("logs -f a", follow([Event("message", "1"), BROKEN], [Event("message", "7\n8")]))
    assert out.split() == ["1", "7", "8"]


def test_what_was_left_out_is_said() -> None:
    """On stderr, with the number of records."""
    _, err = followed("logs -f a", follow([Event("dropped", "250")]))
    assert "a: records were left out, for they are read too slowly here: 250\n" in err


def test_following_several() -> None:
    """What there is comes in the order of its times."""
    says = follow([Event("message", "\n".join((record(1, "a"), record(4, "a"))))], name="a")
    says |= follow([Event("message", "\n".join((record(2, "b"), record(3, "b"))))], name="b")
    out, _ = followed("logs -f", says)
    assert out.splitlines() == [record(1, "a"), record(2, "b"), record(3, "b"), record(4, "a")]


def test_one_that_goes_does_not_keep_the_others() -> None:
    """It is no longer in the config; the exit code tells of it at the end."""
    says = follow([Event("message", "1")], [OrderRefusedError("no such process")], name="a")
    says |= follow([Event("message", "2")], name="b")
    out, err = followed("logs -f", says)
    assert sorted(out.split()) == ["1", "2"]
    assert "a: no such process\n" in err


def test_too_many_to_follow() -> None:
    """It says so, and that some may be named; all can be read."""
    many = {"/api/processes": fleet(*[view(f"p{number}") for number in range(51)])}
    with pytest.raises(UsageError, match="follows 50 processes at most, not 51: name some"):
        tried("logs -f", many)
    read = {f"/api/processes/p{number}/logs?lines=100": text(str(number)) for number in range(51)}
    assert len(tried("logs", many | read).out.split()) == 51


def test_a_break_is_told_once() -> None:
    """However many streams have met it; and once that it is over."""

    def run(call: Call) -> int:
        following = logs.Following(call, ["a", "b"], 0)
        for kind in (OPEN, OPEN, LOST, LOST, LOST, OPEN, OPEN, LOST):
            following.take(Item("a", Event(kind, "it broke")))
        return 0

    assert try_out(run, "logs -f", {}).err.splitlines() == [
        "the connection to /run/test.sock is lost: it broke; trying again",
        "connected to /run/test.sock again",
        "the connection to /run/test.sock is lost: it broke; trying again",
    ]
