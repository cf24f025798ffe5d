"""Part of the composition root: log records to Loki, imported only where that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from procwrap.core.board import Board
from procwrap.core.events import Level, Notice
from procwrap.core.roster import Roster
from procwrap.outputs import Outputs
from procwrap.posting import make_delivery
from procwrap.sinks.loki import BOUNDS, LokiSink
from procwrap.sinks.lokilabels import MOST, left_out
from procwrap.sinks.lokipush import LokiShipping
from procwrap.spec.loki import Loki


def begin_pushing(
    roster: Roster, server: Loki, board: Board, reactor: Any, wall: Callable[[], float], outputs: Outputs
) -> None:
    """Push log records to a Loki; to be called before anything is started.

    Args:
        roster: the processes that write them.
        server: takes them.
        board: is told when it can't be reached.
        reactor: the one that runs.
        wall: seconds since the epoch.
        outputs: where the records come from.
    """

    def report(level: Level, text: str) -> None:
        board.tell(Notice(level, text))

    shipping = LokiShipping({} if server.tenant is None else {"x-scope-orgid": server.tenant})
    delivery = make_delivery(shipping, "log records", server.url, BOUNDS, reactor, wall, report)
    outputs.add_sink(LokiSink(delivery, server.labels, reactor, wall))
    for process in roster.values():
        names = left_out(server.labels, ("name", "out"), process.labels)
        if names:
            text = f"Loki takes {MOST} labels: {', '.join(names)} stand only in the records themselves"
            board.tell(Notice(Level.WARNING, text, process.name))
