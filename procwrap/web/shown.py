"""The host and its processes as JSON, for every route that shows them."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from procwrap import __version__
from procwrap.core.board import Board
from procwrap.core.commandline import shown_command
from procwrap.core.fullview import FullView
from procwrap.core.snapshot import ProcessView, Snapshot
from procwrap.core.verdicts import Json, is_ready
from procwrap.spec.process import ProcessSpec

SpecOf = Callable[[str], ProcessSpec | None]


@define(eq=False)
class Shown:
    """Shows what is true now.

    Args:
        spec: what was asked for, by the name of the process.
        began: seconds of the clock when procwrap began.
    """

    _board: Board
    _clock: IReactorTime
    _full: FullView
    _spec: SpecOf
    _began: float
    _commands: dict[str, tuple[ProcessSpec, str]] = field(init=False, factory=dict)
    """Written once for each config: to find the secrets in them takes its time."""

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

    def _command(self, name: str) -> str | None:
        spec = self._spec(name)
        if spec is None:
            return None
        known = self._commands.get(name)
        if known is None or known[0] is not spec:
            if len(self._commands) > 2 * len(self.snapshot.processes):
                self._commands.clear()
            known = self._commands[name] = spec, shown_command(spec)
        return known[1]
