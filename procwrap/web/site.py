"""The HTTP floor put together: what it sees of the host, the route table, and what stands around it."""

from __future__ import annotations

from collections.abc import Callable
from resource import RLIMIT_NOFILE, getrlimit

from attrs import frozen
from twisted.internet.interfaces import IProtocolFactory, IReactorTime

from procwrap.core.board import Board
from procwrap.core.events import Level, Notice
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.verdicts import liveness, readiness
from procwrap.spec.plan import LivenessRule
from procwrap.web.answers import Handler
from procwrap.web.connections import BoundedSite
from procwrap.web.front import Front
from procwrap.web.health import Question, WaitingRoom
from procwrap.web.heartbeat import Pulse
from procwrap.web.inspect import NOTHING, Inspection, ping
from procwrap.web.limits import Limits
from procwrap.web.routing import Access, Route, routed

PUBLIC = Access.EVERYONE


@frozen
class HostView:
    """What HTTP sees of the host.

    Attributes:
        board: what is true, and who tells of changes.
        heartbeats: of the processes of the plan.
        liveness: which processes make /liveness 503.
        clock: the reactor's time.
        wall: seconds since the epoch.
        duration: turns Go-style text such as ``30s`` into seconds, or raises ValueError.
        prommerge: answers with the merged metrics of the processes.
        metrics: answers with procwrap's own.
    """

    board: Board
    heartbeats: Heartbeats
    liveness: LivenessRule
    clock: IReactorTime
    wall: Callable[[], float]
    duration: Callable[[str], float]
    prommerge: Handler = lambda _: NOTHING
    metrics: Handler = lambda _: NOTHING


def make_front(host: HostView, limits: Limits) -> Front:
    """Build the root of the site: introduce those who answer, and list what they answer."""
    alive = Question(host.board, lambda snapshot: liveness(snapshot, host.liveness))
    ready = Question(host.board, readiness)
    room = WaitingRoom(host.board, host.clock, host.duration, limits.waiting)
    look = Inspection(host.board, host.clock)
    pulse = Pulse(host.heartbeats, host.clock, host.wall)
    routes = (
        Route("/liveness", ("GET",), PUBLIC, lambda request: room.asked(alive, request)),
        Route("/readiness", ("GET",), PUBLIC, lambda request: room.asked(ready, request)),
        Route("/ping", ("GET",), PUBLIC, ping),
        Route("/pids", ("GET",), PUBLIC, look.pids),
        Route("/pidof", ("GET",), PUBLIC, look.pidof),
        Route("/status", ("GET",), PUBLIC, look.status),
        Route("/metrics", ("GET",), PUBLIC, host.metrics),
        Route("/prommerge", ("GET",), PUBLIC, host.prommerge),
        Route("/heartbeat", ("GET",), PUBLIC, pulse.show),
        Route("/heartbeat", ("PATCH", "POST", "PUT"), PUBLIC, pulse.take),
    )

    def report(text: str) -> None:
        host.board.tell(Notice(Level.ERROR, text))

    return Front(routed(routes, report), {b"/liveness": alive.reply, b"/readiness": ready.reply})


def make_site(host: HostView, limits: Limits | None = None) -> IProtocolFactory:
    """Build the factory of all connections.

    Importing this module is expensive (Klein, werkzeug) and Klein wants the reactor to be chosen: do it late.

    Args:
        host: what HTTP sees of the host.
        limits: None takes the usual ones, less where the process may open only few files.
    """
    if limits is None:
        limits = Limits().within(getrlimit(RLIMIT_NOFILE)[0])
    front = make_front(host, limits)
    return BoundedSite(front, host.clock, limits, vital=front.shortcuts)
