from __future__ import annotations

from collections.abc import Callable

from procwrap.sinks.pressure import HIGH, LOW, Pressure


class Pipe:
    """A producer that remembers whether it is read."""

    def __init__(self, on_resume: Callable[[], None] = lambda: None) -> None:
        self.reads = True
        self.told = 0
        self._on_resume = on_resume

    def pauseProducing(self) -> None:
        self.reads = False
        self.told += 1

    def resumeProducing(self) -> None:
        self.reads = True
        self.told += 1
        self._on_resume()


def test_all_are_paused_above_the_high_mark_and_resumed_at_the_low_one() -> None:
    """At most 8 MiB wait; then no pipe is read until half of it is gone."""
    pressure = Pressure()
    pipes = [Pipe(), Pipe()]
    for pipe in pipes:
        pressure.register(pipe)
    read = []
    for waiting in (HIGH, HIGH + 1, HIGH, LOW + 1, LOW, LOW + 1, HIGH):
        pressure.level(waiting)
        assert pipes[0].reads == pipes[1].reads == (not pressure.paused)
        read.append(pipes[0].reads)
    assert read == [True, False, False, False, True, True, True]
    assert pipes[0].told == 2


def test_a_producer_that_comes_while_paused_is_paused_at_once() -> None:
    """A child that starts under pressure waits like the others, and goes on with them."""
    pressure = Pressure(high=10, low=5)
    pressure.level(11)
    pipe = Pipe()
    pressure.register(pipe)
    assert not pipe.reads
    pressure.level(5)
    assert pipe.reads


def test_a_producer_that_left_is_not_told_any_more() -> None:
    """A pipe that is closed is nobody's concern; leaving twice is no error."""
    pressure = Pressure(high=10, low=5)
    pipe = Pipe()
    pressure.register(pipe)
    pressure.unregister(pipe)
    pressure.unregister(pipe)
    pressure.level(11)
    assert pipe.told == 0


def test_a_producer_that_writes_at_once_when_resumed() -> None:
    """If the first to go on fills the queue again, the others stay paused."""
    pressure = Pressure(high=10, low=5)
    second = Pipe()
    first = Pipe(on_resume=lambda: pressure.level(11))
    pressure.register(first)
    pressure.register(second)
    pressure.level(11)
    pressure.level(0)
    assert pressure.paused
    assert not first.reads
    assert not second.reads


def test_a_producer_that_takes_another_away_when_resumed() -> None:
    """Who left meanwhile is not resumed."""
    pressure = Pressure(high=10, low=5)
    second = Pipe()
    first = Pipe(on_resume=lambda: pressure.unregister(second))
    pressure.register(first)
    pressure.register(second)
    pressure.level(11)
    pressure.level(0)
    assert first.reads
    assert not second.reads


def test_relief_can_be_asked_for() -> None:
    """The writing thread bothers the reactor only when it matters."""
    pressure = Pressure(high=10, low=5)
    assert not pressure.relieved_by(0)
    pressure.level(11)
    assert not pressure.relieved_by(6)
    assert pressure.relieved_by(5)
