"""How late timers fire: what everybody else in this process has to wait for, too."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from procwrap.core.histogram import Histogram

PERIOD = 0.5


@define(eq=False)
class Delay:
    """Sets a timer again and again.

    Attributes:
        histogram: seconds by which it was late.
        last: the latest of them; None before the first.
    """

    _clock: IReactorTime
    histogram: Histogram = field(factory=Histogram)
    last: float | None = None
    _due: float = 0.0

    def begin(self) -> None:
        """Begin; it ends with the reactor."""
        self._due = self._clock.seconds() + PERIOD
        self._clock.callLater(PERIOD, self._fire)

    def _fire(self) -> None:
        self.last = max(0.0, self._clock.seconds() - self._due)
        self.histogram.add(self.last)
        self.begin()
