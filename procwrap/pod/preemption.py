"""Watches whether the machine is about to be taken away, whoever says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from procwrap.core.events import Event, Level, Notice
from procwrap.core.preempted import Preempted, PreemptionCounted, PreemptionRevoked, PreemptionWatched
from procwrap.pod.ask import AskError

COUNTED = 60
"""Seconds for which each second is told after a preemption, as process-wrapper does."""
FIRST, LONGEST = 1.0, 30.0
"""Seconds from a failure to the next attempt: the first time and, doubling, at most."""
QUIET = 60.0
"""Seconds between two warnings, at least."""


class Herald(Protocol):
    """Somebody who knows what becomes of the machine.

    Attributes:
        where: whom it asks, for people, without secrets.
        period: seconds from the beginning of one look to the next, at least.
    """

    where: str
    period: float

    def look(self) -> Deferred[str]:
        """Look once, which may take a while, but not for ever.

        Returns:
            A Deferred of what is announced, for people, or of nothing. It fails with AskError.
        """


@define(eq=False)
class PreemptionWatch:
    """Looks again and again, never in a tight loop, and tells what changes.

    Args:
        random: from 0 to 1.
    """

    _herald: Herald
    _clock: IReactorTime
    _random: Callable[[], float]
    _tell: Callable[[Event], None]
    _preempted: bool = field(init=False, default=False)
    _failures: int = field(init=False, default=0)
    _warned_at: float | None = field(init=False, default=None)
    _is_warned: bool = field(init=False, default=False)
    _counting: IDelayedCall | None = field(init=False, default=None)

    def begin(self) -> None:
        """Look from now on, for ever."""
        self._tell(PreemptionWatched())
        self._look()

    def _look(self) -> None:
        began = self._clock.seconds()
        looked = maybeDeferred(self._herald.look)
        looked.addCallbacks(self._seen, self._failed)
        looked.addBoth(lambda pause: self._go_on(began, pause))

    def _go_on(self, began: float, pause: float) -> None:
        spent = self._clock.seconds() - began
        self._clock.callLater(max(self._herald.period - spent, pause), self._look)

    def _seen(self, announced: str) -> float:
        self._failures = 0
        if self._is_warned:
            self._is_warned = False
            self._tell(Notice(Level.INFO, f"{self._herald.where} says again whether we are preempted"))
        if announced and not self._preempted:
            self._preempted = True
            self._tell(Preempted(announced))
            self._count(COUNTED)
        elif not announced and self._preempted:
            self._preempted = False
            if self._counting is not None:
                self._counting.cancel()
                self._counting = None
            self._tell(PreemptionRevoked())
        return 0.0

    def _failed(self, failure: Failure) -> float:
        self._failures += 1
        # The text of an error of another kind may hold what nobody should see.
        known = failure.check(AskError) is not None
        reason = failure.getErrorMessage() if known else f"unexpected {type(failure.value).__name__}"
        now = self._clock.seconds()
        if not self._is_warned and (self._warned_at is None or now >= self._warned_at + QUIET):
            self._is_warned, self._warned_at = True, now
            text = f"cannot find out from {self._herald.where} whether we are preempted: {reason}; "
            self._tell(Notice(Level.WARNING, text + "asking again, ever more rarely"))
        longest = min(FIRST * 2.0 ** min(self._failures - 1, 30), LONGEST)
        return longest * (0.5 + self._random() / 2)

    def _count(self, left: int) -> None:
        self._counting = self._clock.callLater(1.0, self._counted, left - 1) if left else None

    def _counted(self, left: int) -> None:
        self._count(left)
        self._tell(PreemptionCounted())
