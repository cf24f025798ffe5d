"""Part of the composition root: what is begun, and imported, only where it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from procwrap.children.fleet import Fleet
from procwrap.core.board import Board
from procwrap.core.events import Level, Notice
from procwrap.spec.plan import Plan, Settings


def begin_readiness_file(settings: Settings, board: Board, wall: Callable[[], float]) -> None:
    """Keep the readiness file, if there is to be one.

    Args:
        settings: say where.
        board: is watched.
        wall: seconds since the epoch.
    """
    path = settings.readiness_file
    if path is None:
        return
    from procwrap.sinks.readinessfile import ReadinessFile

    def warn(text: str) -> None:
        board.tell(Notice(Level.WARNING, text))

    file = ReadinessFile(path, settings.readiness_follow, wall, warn)
    file.begin()
    board.watch(file.watch)


def begin_events(
    plan: Plan,
    settings: Settings,
    board: Board,
    reactor: Any,
    flush_too: Callable[[Callable[[], Deferred[None]]], None],
) -> None:
    """Send events to the server that takes them, if there is one.

    Args:
        plan: whose processes the events are about.
        settings: say where the server is.
        board: is watched.
        reactor: the one that runs.
        flush_too: takes what has to be flushed at the end.
    """
    target = settings.events_udp
    if target is None:
        return
    from procwrap.probes.aside import Asides
    from procwrap.sinks.podlabels import PodLabels
    from procwrap.sinks.seedevents import SeedEvents
    from procwrap.sinks.udp import UdpSink
    from procwrap.sinks.udpline import UdpLine

    def report(level: Level, text: str) -> None:
        board.tell(Notice(level, text))

    def warn(text: str) -> None:
        report(Level.WARNING, text)

    ask = Asides(reactor).ask
    told = SeedEvents({spec.name: spec for spec in plan.processes}, settings.debug)
    sink = UdpSink(
        told,
        PodLabels(target, reactor, ask, warn),
        UdpLine(target, reactor, ask, report),
        reactor,
    )
    board.watch(sink.watch)
    flush_too(sink.flush)
    sink.begin()


def begin_sampling(fleet: Fleet, board: Board, reactor: Any, *, everybody: bool) -> None:
    """Measure what processes use: those with a memory limit, or everybody because it can be asked for."""
    children = fleet.children.values()
    measured = tuple(child for child in children if everybody or child.spec.memory_limit is not None)
    if measured:
        from procwrap.children.sampling import Sampling, usage_reader

        Sampling(reactor, measured, board.tell, usage_reader()).start()
