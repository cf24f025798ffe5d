"""What probes cost: CPU time and memory with a probe in every process, less those without probes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.benchmarks import processes
from tests.benchmarks.cases.case import Bench, Load
from tests.benchmarks.figures import Figure
from tests.benchmarks.programs.probing import KINDS, NONE, AsyncProber, ProbingProcwrap
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.readiness import await_ready
from tests.benchmarks.stage import idlers, running
from tests.benchmarks.stamps import MeasureError

ANSWERER = Path(__file__).parents[1] / "answerer.py"
SETTLE_SECONDS = 2.0
"""All probes have looked at least once by then."""


@frozen
class Cost:
    """Of one program for a while.

    Attributes:
        core: Share of one processor, in percent.
        kib: Resident at the end.
    """

    core: float
    kib: int


@frozen
class Probes:
    """One probe a second in each of many processes, against one server that is a process of its own."""

    name: str = "probes"
    rehearsals: int = 0

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """CPU time and memory for each kind."""
        many = f"{load.probes} processes with a probe a second"
        cpu = (Figure(f"probes_cpu_{kind}", f"{kind}: {many}: CPU time", "% of a core") for kind in KINDS)
        memory = (Figure(f"probes_memory_{kind}", f"{kind}: memory of a probe", "KiB") for kind in KINDS)
        return (*cpu, *memory)

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """procwrap, and what its work costs without procwrap."""
        del roster
        return (ProbingProcwrap(), AsyncProber())

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """Once without probes, then once with each kind."""
        assert isinstance(program, ProbingProcwrap | AsyncProber)
        found = {}
        for kind in (NONE, *KINDS):
            # A new one each time: what ends a program ends everything below this process.
            with answering() as port:
                found[kind] = _cost(program.looking(kind, port), bench)
        values: dict[str, float] = {}
        for kind in KINDS:
            values[f"probes_cpu_{kind}"] = found[kind].core - found[NONE].core
            values[f"probes_memory_{kind}"] = (found[kind].kib - found[NONE].kib) / bench.load.probes
        return values


@contextmanager
def answering() -> Iterator[int]:
    """A server in a process of its own; its port."""
    command = [sys.executable, "-S", "-E", str(ANSWERER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as server:
        try:
            port = server.stdout.readline() if server.stdout else ""
            if not port:
                raise MeasureError("the server to be probed did not start")
            yield int(port)
        finally:
            server.kill()


def _cost(program: Program, bench: Bench) -> Cost:
    with running(program, idlers(bench.load.probes), bench.instruments) as host:
        if program.serves_readiness:
            host.children(bench.load.probes)
            await_ready(host.place.port)
        time.sleep(SETTLE_SECONDS)
        began, before = time.monotonic(), cpu_seconds(host.pid)
        time.sleep(bench.load.probe_seconds)
        used, took = cpu_seconds(host.pid) - before, time.monotonic() - began
        return Cost(100 * used / took, processes.resident_kib(host.pid))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, as proc(5) has it.

    Raises:
        MeasureError: It has ended.
    """
    try:
        words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        raise MeasureError("it has ended while it was measured") from None
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
