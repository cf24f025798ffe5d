"""The routes under /api, and /live: who answers them, and who may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from procwrap.web.chronicle import Chronicle
from procwrap.web.control import Control, NoFleet
from procwrap.web.following import Followers
from procwrap.web.live import Live
from procwrap.web.logs import Logs
from procwrap.web.news import News
from procwrap.web.processes import Processes
from procwrap.web.routing import Access, Route
from procwrap.web.seats import Seats
from procwrap.web.shown import Shown
from procwrap.web.slices import slices

if TYPE_CHECKING:
    from procwrap.web.site import HostView

PUBLIC, OPERATOR = Access.EVERYONE, Access.OPERATOR
GET, POST = ("GET",), ("POST",)


def showing(host: HostView, followers: Followers) -> tuple[Route, ...]:
    """Return the routes that show something.

    Args:
        host: what is shown.
        followers: are joined by those whose answers have no end.
    """
    insight, board, clock = host.insight, host.board, host.clock
    shown = Shown(board, clock, insight.full, insight.command, insight.began)
    news = News(shown, insight.history, host.wall)
    live = Live(board, insight.history, shown, news, clock, slices(clock), followers)
    processes = Processes(shown)
    logs = Logs(board, insight.tail, followers)
    chronicle = Chronicle(insight.journal, followers)
    return (
        Route("/live", GET, PUBLIC, live.asked),
        Route("/api/processes", GET, OPERATOR, processes.all),
        Route("/api/processes/<name>", GET, OPERATOR, processes.one),
        Route("/api/processes/<name>/logs", GET, OPERATOR, logs.asked),
        Route("/api/events", GET, OPERATOR, chronicle.asked),
    )


def controlling(host: HostView, seats: Seats) -> tuple[Route, ...]:
    """Return the routes that change something.

    Args:
        host: whose fleet does it.
        seats: are taken by those who wait for it.
    """
    fleet = host.fleet or NoFleet()
    control = Control(fleet, host.board, host.clock, host.duration, host.insight.signal_number, seats)
    return (
        Route("/api/processes/<name>/start", POST, OPERATOR, control.start),
        Route("/api/processes/<name>/stop", POST, OPERATOR, control.stop),
        Route("/api/processes/<name>/restart", POST, OPERATOR, control.restart),
        Route("/api/processes/<name>/signal", POST, OPERATOR, control.signal),
        Route("/api/reload", POST, OPERATOR, control.reload),
    )
