"""Tells the log once that a server can't take what is sent, and once that it can: never for each attempt.

What is told goes to that very server, too, where our own log is sent there. So there are never more than two
lines a minute, however often things change.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from procwrap.core.events import Level

QUIET = 60.0
"""Seconds between two warnings, at least."""


@define(eq=False)
class Trouble:
    """Remembers whether it was told that things are bad.

    Args:
        what: is sent, in the plural.
        where: it is sent to, without secrets.
        report: takes a line.
    """

    _what: str
    _where: str
    _clock: IReactorTime
    _report: Callable[[Level, str], None]
    _told: bool = field(init=False, default=False)
    _told_at: float | None = field(init=False, default=None)
    _lost_before: int = field(init=False, default=0)

    def fails(self, reason: str, consequence: str) -> None:
        """Take note that not everything could be sent.

        Args:
            reason: why.
            consequence: what becomes of it.
        """
        now = self._clock.seconds()
        if self._told or (self._told_at is not None and now < self._told_at + QUIET):
            return
        self._told, self._told_at = True, now
        self._report(Level.WARNING, f"cannot send {self._what} to {self._where}: {reason}; {consequence}")

    def works(self, lost: int) -> None:
        """Take note that all there is can be sent.

        Args:
            lost: records that were lost so far, in all.
        """
        since, self._lost_before = lost - self._lost_before, lost
        if self._told:
            self._told = False
            self._report(Level.INFO, f"{self._what} reach {self._where} again; {since} were lost")

    def ends(self, lost: int) -> None:
        """Take note that records are lost, since there is no time left."""
        text = f"{lost} {self._what} were not sent to {self._where}: there was no time left"
        self._report(Level.WARNING, text)
