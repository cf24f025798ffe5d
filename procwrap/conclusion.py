"""Part of the composition root: notices when everything is over because of its processes, and ends it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from procwrap.children.shutdown import Shutdown
from procwrap.core.board import Board
from procwrap.core.ending import NEVER_AGAIN, Remaining, code_of_all, code_of_one, counting
from procwrap.core.events import End, Event
from procwrap.core.lifecycle import Input
from procwrap.core.policy import Judgement
from procwrap.core.roster import Roster
from procwrap.core.snapshot import Snapshot
from procwrap.spec.process import ProcessSpec


@define(eq=False)
class Conclusion:
    """Begins the shutdown when a process has ended everything, or none is left that could run again.

    Args:
        roster: the processes, as they are asked for now.
        shutdown: complete only after everything was built.
    """

    _board: Board
    _clock: IReactorTime
    _roster: Roster
    _shutdown: Callable[[], Shutdown]
    _cause: tuple[str, int] | None = field(init=False, default=None)
    _remaining: Remaining = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Watch for the end of the last."""
        self._remaining = Remaining(counting(self._roster.specs), NEVER_AGAIN)
        self._board.watch(self._look)

    def recount(self) -> None:
        """Go by the processes that are asked for now."""
        self._remaining = Remaining(counting(self._roster.specs), NEVER_AGAIN)
        if self._remaining.begin_with(self._board.snapshot):
            self._clock.callLater(0, self._end)

    def one_ended_all(self, spec: ProcessSpec, end: End, judged: Judgement) -> None:
        """Note that all is over because of the end of one."""
        if self._cause is None:
            gave_up = judged.happened is Input.GIVEN_UP
            code = code_of_one(end, vital=spec.restart.vital, gave_up=gave_up)
            self._cause = (f"{spec.name}: {judged.reason}", code)
        self._clock.callLater(0, self._end)

    def _look(self, snapshot: Snapshot, event: Event) -> None:
        if self._remaining.note(event) and not self._shutdown().begun:
            self._clock.callLater(0, self._end)

    def _end(self) -> None:
        """End because of a process, a moment after its end.

        By then it is known whether the last one that could run was a main or vital process, whose code
        counts, and all that were given a head start have been taken over and can be stopped.
        """
        snapshot = self._board.snapshot
        if self._cause is None and not self._remaining.begin_with(snapshot):
            # Somebody has asked for one of them again in that moment.
            return
        nothing_left = "no process is left that could run again"
        reason, code = self._cause or (nothing_left, code_of_all(snapshot, self._roster.specs))
        self._shutdown().begin(reason, code)
