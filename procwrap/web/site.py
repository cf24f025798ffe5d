"""The HTTP floor put together: what it sees of the host, the route table, and what stands around it."""

from __future__ import annotations

from collections.abc import Callable
from resource import RLIMIT_NOFILE, getrlimit

from attrs import evolve, field, frozen
from twisted.internet.interfaces import IReactorTime

from procwrap.core.board import Board
from procwrap.core.events import Level, Notice
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.history import History
from procwrap.core.journal import Journal
from procwrap.core.verdicts import liveness, readiness
from procwrap.interfaces import IFleet
from procwrap.spec.plan import LivenessRule
from procwrap.web.access import Admits, nobody
from procwrap.web.answers import Handler
from procwrap.web.api import controlling, showing
from procwrap.web.configured import Inside, about_itself
from procwrap.web.connections import BoundedSite
from procwrap.web.following import Followers
from procwrap.web.front import Front
from procwrap.web.health import Question, WaitingRoom
from procwrap.web.heartbeat import Pulse
from procwrap.web.insight import Insight
from procwrap.web.inspect import NOTHING, Inspection, ping
from procwrap.web.limits import Limits
from procwrap.web.openapi import Description
from procwrap.web.routing import Access, Route, routed
from procwrap.web.seats import Seats
from procwrap.web.slices import slices
from procwrap.web.statuspage import StatusPage

PUBLIC = Access.EVERYONE
OPERATOR = Access.OPERATOR
CONTROL_CONNECTIONS = 64
CONTROL_CROWD = 8


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
        admits: tells who is answered by the routes for operators.
        fleet: an operator's way to the processes.
        insight: what is known about the processes besides.
        inside: what operators may know about procwrap itself.
    """

    board: Board
    heartbeats: Heartbeats
    liveness: LivenessRule
    clock: IReactorTime
    wall: Callable[[], float]
    duration: Callable[[str], float]
    prommerge: Handler = lambda _: NOTHING
    metrics: Handler = lambda _: NOTHING
    admits: Admits = nobody
    fleet: IFleet | None = None
    inside: Inside = Inside()
    insight: Insight = field()

    @insight.default
    def _nothing_known(self) -> Insight:
        return Insight(History(self.clock.seconds), Journal(self.wall))


def make_front(host: HostView, limits: Limits) -> Front:
    """Build the root of the site: introduce those who answer, and list what they answer."""
    alive = Question(host.board, lambda snapshot: liveness(snapshot, host.liveness))
    ready = Question(host.board, readiness)
    seats = Seats(limits.waiting)
    followers = Followers(host.clock, seats)
    room = WaitingRoom(host.board, host.clock, host.duration, seats)
    look = Inspection(host.board, host.clock, host.insight.full)
    pulse = Pulse(host.heartbeats, host.clock, host.wall)
    description = Description()
    description.routes = routes = (
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
        Route("/api/openapi.json", ("GET",), PUBLIC, description.asked),
        *showing(host, followers),
        *controlling(host, Seats(limits.orders)),
        *about_itself(host.inside, slices(host.clock)),
        *StatusPage(host.board, host.clock, host.wall, host.insight.full, host.insight.began).routes(),
    )

    def report(text: str) -> None:
        host.board.tell(Notice(Level.ERROR, text))

    shortcuts = {b"/liveness": alive.reply, b"/readiness": ready.reply}
    return Front(routed(routes, report, host.admits), shortcuts, followers.end)


def make_site(host: HostView, limits: Limits | None = None) -> BoundedSite:
    """Build the factory of all connections.

    Importing this module is expensive (Klein, werkzeug) and Klein wants the reactor to be chosen: do it late.

    Args:
        host: what HTTP sees of the host.
        limits: None takes the usual ones, less where the process may open only few files.
    """
    if limits is None:
        limits = Limits().within(getrlimit(RLIMIT_NOFILE)[0])
    front = make_front(host, limits)
    return BoundedSite(front, host.clock, limits, vital=front.shortcuts, ending=front.end)


def make_control_site(host: HostView, limits: Limits | None = None) -> BoundedSite:
    """Build the factory of the connections to the control socket, through which no token is needed.

    It shares neither connections nor seats with the other: a flood there does not lock the operator out.
    """
    limits = evolve(limits or Limits(), connections=CONTROL_CONNECTIONS, crowd=CONTROL_CROWD)
    front = make_front(host, limits)
    return BoundedSite(front, host.clock, limits, vital=front.shortcuts, is_control=True, ending=front.end)
