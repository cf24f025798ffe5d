"""What HTTP knows about the processes besides what is true now."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from procwrap.core.fullview import FullView
from procwrap.core.history import History
from procwrap.core.journal import Journal
from procwrap.spec.process import ProcessSpec
from procwrap.web.logs import Tail


def _no_number(text: str) -> int:
    raise ValueError(text)


@frozen
class Insight:
    """What was asked for, what has happened, and what was printed.

    Attributes:
        history: what processes used, and how their checks went.
        journal: what happened.
        spec: what was asked for, by the name of the process; None for one that is on its way out.
        command: its command line, without the secrets in it; None likewise.
        tail: the records of a process, by its name.
        signal_number: turns ``HUP``, ``SIGHUP`` or ``1`` into a number, or raises ValueError.
        began: seconds of the reactor's clock when procwrap began.
    """

    history: History
    journal: Journal
    spec: Callable[[str], ProcessSpec | None] = lambda _: None
    command: Callable[[str], str | None] = lambda _: None
    tail: Callable[[str], Tail | None] = lambda _: None
    signal_number: Callable[[str], int] = _no_number
    began: float = 0.0

    @property
    def full(self) -> FullView:
        """What tells everything about a process."""
        return FullView(self.spec, self.history.cpu)
