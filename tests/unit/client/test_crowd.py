from __future__ import annotations

import itertools
import threading

import pytest

from procwrap.client.crowd import MOST_HELD, Crowd, at_once


def test_what_several_bring() -> None:
    """All of it, and each one's in its order."""
    crowd: Crowd[int] = Crowd()
    for name in "abc":
        crowd.add(name, lambda: range(100))
    found: dict[str, list[int]] = {name: [] for name in "abc"}
    while crowd.left:
        item = crowd.next(10)
        assert item is not None
        if item.brought is not None:
            found[item.source].append(item.brought)
    assert found == {name: list(range(100)) for name in "abc"}


def test_nothing_in_time() -> None:
    """Somebody who has something else to do may go on."""
    crowd: Crowd[int] = Crowd()
    waits = threading.Event()

    def nothing() -> list[int]:
        waits.wait(30)
        return []

    crowd.add("a", nothing)
    assert crowd.next(0.0) is None
    assert crowd.next(-5.0) is None
    waits.set()
    assert crowd.next(10) == ("a", None, None)


def test_an_error_is_the_end_of_one() -> None:
    """What it has brought before counts."""
    crowd: Crowd[int] = Crowd()
    crowd.add("a", lambda: (1 // n for n in (1, 0)))
    assert crowd.next(10) == ("a", 1, None)
    last = crowd.next(10)
    assert last is not None
    assert isinstance(last.error, ZeroDivisionError)
    assert crowd.left == 0


def test_what_nobody_takes_is_bounded() -> None:
    """Whoever brings more waits."""
    crowd: Crowd[int] = Crowd()
    brought = itertools.count()
    crowd.add("a", lambda: brought)
    for number in range(MOST_HELD * 3):
        item = crowd.next(10)
        assert item is not None
        assert item.brought == number
    assert next(brought) <= MOST_HELD * 4 + 5


@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_each_is_asked_once(count: int) -> None:
    """Never more of them at the same time than that."""
    names = [str(number) for number in range(count)]
    at_work, highest, lock = 0, 0, threading.Lock()

    def ask(name: str) -> str:
        nonlocal at_work, highest
        with lock:
            at_work += 1
            highest = max(highest, at_work)
        with lock:
            at_work -= 1
        return name * 2

    found = {item.source: item.brought for item in at_once(names, ask, 4)}
    assert found == {name: name * 2 for name in names}
    assert highest <= 4


def test_one_that_fails_does_not_keep_the_others() -> None:
    """Its error stands in the place of its answer."""
    found = {item.source: item for item in at_once(["0", "1", "2"], lambda name: 2 // int(name), 2)}
    assert isinstance(found["0"].error, ZeroDivisionError)
    assert (found["1"].brought, found["2"].brought) == (2, 1)
