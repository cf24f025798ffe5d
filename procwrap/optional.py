"""Part of the composition root: what is begun, and imported, only where it was asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from socket import gethostname
from typing import Any

from twisted.internet.defer import Deferred

from procwrap import __version__
from procwrap.children.child import Child
from procwrap.children.fleet import Fleet
from procwrap.core.board import Board
from procwrap.core.events import Level, Notice
from procwrap.core.roster import Roster
from procwrap.outputs import Outputs
from procwrap.spec.events import Elasticsearch
from procwrap.spec.plan import Settings
from procwrap.spec.profiling import Profiling

EventCounts = Callable[[], Mapping[tuple[str, str], int]]


def no_counts() -> Mapping[tuple[str, str], int]:
    """Return the counts of no sink."""
    return {}


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


def begin_sinks(
    roster: Roster,
    settings: Settings,
    board: Board,
    reactor: Any,
    wall: Callable[[], float],
    outputs: Outputs,
) -> EventCounts:
    """Begin everything that tells others what happens, before there is anything to tell.

    Args:
        roster: the processes.
        settings: say where to.
        board: is watched.
        reactor: the one that runs.
        wall: seconds since the epoch.
        outputs: hold the records, and are flushed at the end.

    Returns:
        What tells, by sink and result, how many events there were.
    """
    begin_readiness_file(settings, board, wall)
    if settings.loki is not None:
        from procwrap.pushing import begin_pushing

        begin_pushing(roster, settings.loki, board, reactor, wall, outputs)
    return begin_events(roster, settings, board, reactor, wall, outputs.flush_too)


def begin_events(
    roster: Roster,
    settings: Settings,
    board: Board,
    reactor: Any,
    wall: Callable[[], float],
    flush_too: Callable[[Callable[[], Deferred[None]]], None],
) -> EventCounts:
    """Send events to the servers that take them, if there are any.

    Args:
        roster: the processes that the events are about.
        settings: say where the servers are.
        board: is watched.
        reactor: the one that runs.
        wall: seconds since the epoch.
        flush_too: takes what has to be flushed at the end.

    Returns:
        What tells, by sink and result, how many events there were.
    """
    if settings.events_udp is None and settings.elasticsearch is None:
        return no_counts

    def report(level: Level, text: str) -> None:
        board.tell(Notice(level, text))

    sinks = _event_sinks(roster, settings, reactor, wall, report)
    for sink in sinks.values():
        board.watch(sink.watch)
        flush_too(sink.flush)
        sink.begin()
    return lambda: {(name, result): n for name, sink in sinks.items() for result, n in sink.counts.items()}


def _event_sinks(
    roster: Roster,
    settings: Settings,
    reactor: Any,
    wall: Callable[[], float],
    report: Callable[[Level, str], None],
) -> dict[str, Any]:
    from procwrap.probes.aside import Asides
    from procwrap.sinks.podlabels import PodLabels
    from procwrap.sinks.seedevents import SeedEvents

    def seed_events() -> SeedEvents:
        return SeedEvents(roster, settings.debug)

    ask = Asides(reactor).ask
    labels = PodLabels(settings.event_labels, reactor, ask, partial(report, Level.WARNING))
    sinks: dict[str, Any] = {}
    if settings.events_udp is not None:
        from procwrap.sinks.udp import UdpSink
        from procwrap.sinks.udpline import UdpLine

        line = UdpLine(settings.events_udp, reactor, ask, report)
        sinks["udp"] = UdpSink(seed_events(), labels, line, reactor)
    if settings.elasticsearch is not None:
        from procwrap.sinks.elasticsearch import ElasticsearchSink

        delivery = _to_elasticsearch(settings.elasticsearch, reactor, wall, report)
        sinks["elasticsearch"] = ElasticsearchSink(seed_events(), labels, delivery, wall)
    return sinks


def _to_elasticsearch(
    server: Elasticsearch,
    reactor: Any,
    wall: Callable[[], float],
    report: Callable[[Level, str], None],
) -> Any:
    from procwrap.posting import make_delivery
    from procwrap.sinks.elasticsearch import BOUNDS
    from procwrap.sinks.elasticsearchbulk import PATH, Bulk

    # So that no other run, on whatever host, calls its documents so.
    run = os.urandom(8).hex()
    bulk = Bulk(server.index, run, server.api_key)
    return make_delivery(bulk, "events", server.url + PATH, BOUNDS, reactor, wall, report)


def begin_sampling(fleet: Fleet, board: Board, reactor: Any, *, everybody: bool) -> Callable[[], None]:
    """Measure what processes use: those with a memory limit, or everybody because it can be asked for.

    Returns:
        To be called when the processes are others than before: who has begun only now has a limit.
    """
    begun: list[object] = []

    def measured() -> list[Child]:
        children = fleet.children.values()
        return [child for child in children if everybody or child.spec.memory_limit is not None]

    def look() -> None:
        if begun or not measured():
            return
        from procwrap.children.sampling import Sampling, usage_reader

        sampling = Sampling(reactor, measured, board.tell, usage_reader())
        begun.append(sampling)
        sampling.start()

    look()
    return look


def begin_profiling(settings: Settings, board: Board, reactor: Any) -> None:
    """Profile procwrap itself, if there is a server for that."""
    server = settings.profiling
    if server is None:
        return
    from procwrap.pod.pyroscope import Profiler
    from procwrap.probes.aside import Asides

    def look(server: Profiling) -> str:
        from procwrap.pod.pyroscopelook import look
        from procwrap.probes.wording import trouble

        return look(server, trouble)

    def warn(text: str) -> None:
        board.tell(Notice(Level.WARNING, text))

    tags = {"hostname": gethostname(), "version": __version__}
    profiler = Profiler(server, tags, reactor, Asides(reactor).ask, look, warn)
    board.watch(profiler.watch)
    profiler.begin()
