"""What tests of /metrics need: sources made by hand, and what the reference parsers read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import define, field
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from procwrap.core.board import Board
from procwrap.core.events import (
    Declared,
    End,
    Ended,
    Event,
    ProbeResult,
    RestartCause,
    Restarting,
    RoundEnded,
    Spawned,
    StateChanged,
    UsageSampled,
)
from procwrap.core.histogram import Histogram
from procwrap.core.lifecycle import State
from procwrap.core.limits import Usage
from procwrap.core.locks import LockAsked, Outcome
from procwrap.core.preempted import PreemptionWatched
from procwrap.core.tallies import Tallies
from procwrap.metrics.collector import Collector, LogCount, Own, Sources
from procwrap.metrics.page import Page
from procwrap.metrics.syntax import Syntax

MIB = 1024 * 1024
OWN = Usage(memory=40 * MIB, cpu=1.5, processes=1, threads=3, open_files=20)

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(text: str, syntax: Syntax = Syntax.TEXT) -> Series:
    """Return every sample that the reference parser reads; none may come twice."""
    read = read_text if syntax is Syntax.TEXT else read_openmetrics
    samples = [sample for family in read(text) for sample in family.samples]
    # The parser gives every counter the name that it would have in OpenMetrics.
    written = set(re.findall("^[a-z_]+", text, re.MULTILINE))
    names = [s.name if s.name in written else s.name.removesuffix("_total") for s in samples]
    found = {(n, frozenset(s.labels.items())): s.value for n, s in zip(names, samples, strict=True)}
    assert len(found) == len(samples)
    return found


@define(eq=False)
class Told:
    """A host made of events; ``text`` is what it shows."""

    names: tuple[str, ...] = ("api",)
    commands: Mapping[str, str] = field(factory=dict)
    beats: Mapping[str, float] = field(factory=dict)
    counts: Iterable[LogCount] = ()
    dropped: Mapping[str, int] = field(factory=dict)
    delay: Histogram = field(factory=Histogram)
    merging: Histogram | None = None
    targets: Mapping[str, bool] = field(factory=dict)
    limits: Mapping[str, int] = field(factory=dict)
    events: Mapping[tuple[str, str], int] = field(factory=dict)
    board: Board = field(init=False)
    collector: Collector = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.board = Board(_raise)
        tallies = Tallies()
        self.board.watch(tallies.note)
        self.tell(Declared(self.names))
        build = {"version": "1.2.3", "python": "3.11.7", "twisted": "26.10.0"}
        self.collector = Collector(
            Sources(
                lambda: self.board.snapshot,
                tallies,
                self.commands,
                self.beats.get,
                lambda: self.counts,
                lambda: self.dropped,
                self.delay,
                Own(lambda: OWN, 1000.5, build),
                lambda: self.merging,
                lambda: self.targets,
                self.limits,
                lambda: self.events,
            )
        )

    def tell(self, *events: Event) -> Told:
        """Let something happen."""
        for event in events:
            self.board.tell(event)
        return self

    def text(self, syntax: Syntax = Syntax.TEXT) -> str:
        """Return what /metrics shows."""
        page = Page()
        for _ in self.collector.collect(page):
            pass
        return b"".join(page.write(syntax)).decode()

    def series(self, syntax: Syntax = Syntax.TEXT) -> Series:
        """Return what the reference parser reads."""
        return series(self.text(syntax), syntax)

    def value(self, sample: str, **labels: str) -> float | None:
        """Return the value of one series."""
        return self.series().get((sample, frozenset(labels.items())))


def _raise(error: Exception) -> None:
    raise error


def started(name: str = "api", pid: int = 7) -> tuple[Event, ...]:
    """A process that runs and is healthy."""
    return (
        StateChanged(name, State.STARTING, 0.0, 0.0),
        Spawned(name, pid, 1.0, 2000.25),
        StateChanged(name, State.RUNNING, 0.0, 0.0),
    )


def over(
    name: str = "api", code: int = 0, ran_for: float = 3.0, state: State = State.EXITED, **more: Any
) -> tuple[Event, ...]:
    """It has ended."""
    end = Ended(name, 7, End(code=code), ran_for, 4.0, 4.0, success=code == 0, **more)
    return end, StateChanged(name, state, 4.0, 4.0)


def restarting(name: str = "api", cause: RestartCause = RestartCause.EXIT) -> Event:
    """It will be started again."""
    return Restarting(name, cause, 1.0, "why")


def probed(*results: tuple[str, bool], name: str = "api", check: str = "readiness") -> Event:
    """A round of a check has ended."""
    each = tuple(ProbeResult(kind, good, "" if good else "no", 0.02) for kind, good in results)
    return RoundEnded(name, check, each, 0, 3, counted=True, recovered=False, wall=0.0)


def used(name: str = "api", cpu: float = 2.0, memory: int = 10 * MIB, files: int | None = 9) -> Event:
    """It was measured."""
    return UsageSampled({name: Usage(memory, cpu, 2, 4, files)})


def everything() -> Told:
    """A host on which every family has samples."""
    told = Told(
        ("api", "job"),
        {"api": "serve --token=***", "job": "work"},
        {"api": 2.5},
        [("api", "stdout", 5, 50), ("api", "stderr", 0, 0)],
        {"stdout": 0, "file": 3},
        merging=Histogram((0.001, 0.005, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 20.0, 50.0)),
        targets={"api": True, "job": False},
        limits={"api": 512 * MIB},
        events={("udp", "sent"): 7, ("udp", "dropped"): 0},
    )
    told.tell(PreemptionWatched(), LockAsked("job", Outcome.SUCCESS), *started("job"))
    told.tell(*over("job", code=3, cpu=0.5))
    return told.tell(*started(), probed(("tcp", True), ("http", False)), used())
