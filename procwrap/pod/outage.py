"""Tells the log once that the Pod cannot be watched, and once that it can again: never for each attempt."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from procwrap.core.events import Level
from procwrap.pod.problem import ApiError

QUIET = 60.0
"""Seconds between two lines about what passes by itself, and between two about what a person has to mend."""


@define(eq=False)
class Outage:
    """Remembers what was told.

    Args:
        name: of the Pod.
        report: takes a line.
    """

    _name: str
    _clock: IReactorTime
    _report: Callable[[Level, str], None]
    _told: dict[bool, str] = field(factory=dict)
    _told_at: dict[bool, float] = field(factory=dict)

    def goes_on(self, error: ApiError) -> None:
        """Take note that it cannot be watched now."""
        kind, text, now = error.refused, str(error), self._clock.seconds()
        if self._told.get(kind) == text or now < self._told_at.get(kind, -QUIET) + QUIET:
            return
        self._told[kind], self._told_at[kind] = text, now
        level = Level.ERROR if error.refused else Level.WARNING
        self._report(level, f"cannot watch the Pod {self._name}: {text}")

    def is_over(self) -> None:
        """Take note that it can be watched."""
        if self._told:
            self._told.clear()
            self._report(Level.INFO, f"the Pod {self._name} can be watched")
