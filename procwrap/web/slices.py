"""Work of many steps, done a little at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Cooperator, TaskStopped

SLICE = 0.005
"""Seconds of work at a stretch; then the reactor looks after the others."""


def slices(clock: IReactorTime) -> Cooperator:
    """Return what runs iterators a little at a time, all of them in turn."""

    def over() -> Callable[[], bool]:
        end = clock.seconds() + SLICE
        return lambda: clock.seconds() >= end

    return Cooperator(
        terminationPredicateFactory=over,
        scheduler=lambda work: clock.callLater(0, work),
    )


def done_in_slices(slices: Cooperator, steps: Iterator[None]) -> Deferred[None]:
    """Take steps a few at a time; cancelling the Deferred ends it."""
    task = slices.cooperate(steps)
    done: Deferred[None] = Deferred(lambda _: task.stop())
    task.whenDone().addCallbacks(
        lambda _: done.callback(None),
        lambda failure: None if failure.check(TaskStopped) else done.errback(failure),
    )
    return done
