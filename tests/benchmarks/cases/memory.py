"""Resident memory of a program with idle children: VmRSS of it and of any helper, but not of the children."""

from __future__ import annotations

import time

from attrs import frozen

from tests.benchmarks import processes
from tests.benchmarks.cases.case import Bench, Load
from tests.benchmarks.figures import Figure
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.readiness import await_ready
from tests.benchmarks.stage import idlers, running

SETTLE_SECONDS = 0.5
SETTLED_KIB = 64
LONGEST_SETTLE = 10


@frozen
class Memory:
    """With 1, 10 and 100 children; where HTTP is served, one request was answered before."""

    name: str = "memory"
    rehearsals: int = 0

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """One for each number of children, and what a further child costs."""
        _, some, most = load.idle
        sizes = (_size_figure(count) for count in load.idle)
        title = f"Resident memory for each further child, from {some} to {most}"
        return (*sizes, Figure("memory_per_child", title, "KiB", decimals=0, children=most))

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """Hosts, and the wrappers with their one child."""
        return (*roster.hosts, *roster.wrappers)

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """Start it once for each number of children that it can run."""
        kib = {
            count: _resident(program, count, bench)
            for count in bench.load.idle
            if count <= program.most_children
        }
        values = {_size_figure(count).key: size / 1024 for count, size in kib.items()}
        _, some, most = bench.load.idle
        if most in kib:
            values["memory_per_child"] = (kib[most] - kib[some]) / (most - some)
        return values


def _size_figure(count: int) -> Figure:
    noun = "child" if count == 1 else "children"
    return Figure(f"memory_{count}", f"Resident memory with {count} idle {noun}", "MiB", children=count)


def _resident(program: Program, count: int, bench: Bench) -> int:
    with running(program, idlers(count), bench.instruments) as host:
        children = {stamp.pid for stamp in host.children(count)}
        if program.serves_readiness:
            await_ready(host.place.port)
        return _settled(host.pid, children)


def _settled(pid: int, children: set[int]) -> int:
    """KiB, once two readings in a row agree: some programs go on importing after the start."""
    before, size = -SETTLED_KIB, 0
    for _ in range(LONGEST_SETTLE):
        time.sleep(SETTLE_SECONDS)
        own = {pid, *processes.descendants(pid)} - children
        before, size = size, sum(processes.resident_kib(one) for one in own)
        if abs(size - before) < SETTLED_KIB:
            break
    return size
