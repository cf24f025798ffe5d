"""Part of the composition root: what is remembered for those who ask over HTTP later."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import define, field

from procwrap.config import units
from procwrap.core.board import Board
from procwrap.core.history import History
from procwrap.core.journal import Journal
from procwrap.logs.recent import Recent
from procwrap.spec.process import ProcessSpec

if TYPE_CHECKING:
    from procwrap.web.insight import Insight


@define(eq=False)
class Remembering:
    """Remembers what happens from its making on.

    Args:
        wall: seconds since the epoch.
    """

    _board: Board
    _reactor: Any
    _wall: Callable[[], float]
    _began: float = field(init=False)
    _history: History = field(init=False)
    _journal: Journal = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin."""
        self._began = self._reactor.seconds()
        self._history = History(self._reactor.seconds)
        self._journal = Journal(self._wall)
        self._board.watch(self._history.note)
        self._board.watch(self._journal.note)

    def insight(
        self,
        spec: Callable[[str], ProcessSpec | None],
        command: Callable[[str], str | None],
        recent: Callable[[str], Recent | None],
    ) -> Insight:
        """Return what HTTP gets to know.

        Args:
            spec: what was asked for, by the name of the process.
            command: its command line, as it may be shown.
            recent: its last records.
        """
        from procwrap.web.insight import Insight

        return Insight(self._history, self._journal, spec, command, recent, units.signal_number, self._began)
