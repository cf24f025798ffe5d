"""Work of many steps, done a little at a time."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Cooperator

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
