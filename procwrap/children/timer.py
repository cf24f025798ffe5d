"""One thing that is to happen later, or not after all."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define
from twisted.internet.interfaces import IDelayedCall, IReactorTime


@define(eq=False)
class Timer:
    """Armed at most once at a time."""

    _clock: IReactorTime
    _call: IDelayedCall | None = None

    def arm(self, seconds: float, happen: Callable[..., None], *args: object) -> None:
        """Call ``happen(*args)`` in so many seconds."""
        self.disarm()
        self._call = self._clock.callLater(seconds, happen, *args)

    def disarm(self) -> None:
        """Do not, if that is still possible."""
        if self._call is not None and self._call.active():
            self._call.cancel()
        self._call = None
