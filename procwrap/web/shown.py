"""The host and its processes as JSON, for every route that shows them."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define
from twisted.internet.interfaces import IReactorTime

from procwrap import __version__
from procwrap.core.board import Board
from procwrap.core.fullview import FullView
from procwrap.core.snapshot import ProcessView, Snapshot
from procwrap.core.verdicts import Json, is_ready


@define(eq=False)
class Shown:
    """Shows what is true now.

    Args:
        command: the command line of a process, by its name, without the secrets in it.
        began: seconds of the clock when procwrap began.
    """

    _board: Board
    _clock: IReactorTime
    _full: FullView
    _command: Callable[[str], str | None]
    _began: float

    @property
    def snapshot(self) -> Snapshot:
        """What is true now."""
        return self._board.snapshot

    def host(self) -> Json:
        """Show the host."""
        return {
            "version": __version__,
            "healthy": is_ready(self.snapshot),
            "preempted": self.snapshot.preempted,
            "shutdown": self.snapshot.shutdown,
            "uptime": round(self._clock.seconds() - self._began, 3),
        }

    def process(self, view: ProcessView) -> Json:
        """Show a process without what only operators may read."""
        return self._full.of(view, self._clock.seconds())

    def whole(self, view: ProcessView) -> Json:
        """Show a process with its command, without the secrets in it."""
        return {**self.process(view), "command": self._command(view.name)}
