from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from twisted.internet.task import Clock

from procwrap.children.slices import SLICE, Slices


def test_it_is_done_in_order_and_not_at_once() -> None:
    """Whoever asks goes on first."""
    clock, done = Clock(), list[int]()
    slices = Slices(clock)
    for number in range(3):
        slices.do(partial(done.append, number))
    assert done == []
    clock.advance(0)
    assert (done, clock.getDelayedCalls()) == ([0, 1, 2], [])


class Turns(Clock):
    """A clock that counts how often something was put off to another turn of the reactor."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def callLater(self, *args: Any, **kwargs: Any) -> Any:
        self.count += 1
        return super().callLater(*args, **kwargs)


def test_after_a_slice_the_others_have_their_turn() -> None:
    """What takes longer goes on in the next turn of the reactor, and what is added meanwhile comes last."""
    clock, done = Turns(), list[int]()
    slices = Slices(clock)

    def work(number: int) -> None:
        clock.rightNow += SLICE / 2
        done.append(number)
        if number == 0:
            slices.do(partial(work, 9))

    for number in range(5):
        slices.do(partial(work, number))
    clock.advance(0)
    assert (clock.count, done) == (3, [0, 1, 2, 3, 4, 9])


def test_one_that_fails_holds_nobody_up() -> None:
    """A bug in one piece is told by the reactor; the others are done."""
    clock, done = Clock(), list[int]()
    slices = Slices(clock)
    slices.do(lambda: 1 // 0)  # type: ignore[arg-type, return-value]
    slices.do(partial(done.append, 1))
    with pytest.raises(ZeroDivisionError):
        clock.advance(0)
    clock.advance(0)
    assert done == [1]
