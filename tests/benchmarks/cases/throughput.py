"""How fast log lines pass: from the writer's first instruction until the reader has its last line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from tests.benchmarks.cases.case import Bench, Load
from tests.benchmarks.figures import Figure
from tests.benchmarks.programs.program import Program
from tests.benchmarks.programs.roster import Roster
from tests.benchmarks.stage import log_writer, running
from tests.benchmarks.stamps import MeasureError

SECONDS = 120.0


@frozen
class Throughput:
    """One child, 94-byte lines, each one checked on arrival."""

    name: str = "throughput"
    rehearsals: int = 0

    def figures(self, load: Load) -> tuple[Figure, ...]:
        """One."""
        title = f"Log throughput: {load.lines:,} lines of 94 bytes from one child"
        return (Figure("log_throughput", title, "million lines/s", "more", 2),)

    def programs(self, roster: Roster) -> tuple[Program, ...]:
        """All that carry a child's output to their own stdout."""
        return roster.streams

    def measure(self, program: Program, bench: Bench) -> dict[str, float]:
        """Start the reader first, then the program; the child's own stamp starts the clock."""
        lines = bench.load.lines
        with (
            draining(bench.instruments.reader, lines) as (reader, stdout),
            running(program, log_writer(lines), bench.instruments, stdout) as host,
        ):
            started = host.children(1)[0]
            arrived = report_of(reader)
        if arrived["lines"] != lines or arrived["misplaced"]:
            raise MeasureError(
                f"{arrived['lines']:,} of {lines:,} lines arrived, {arrived['misplaced']:,} out of place"
            )
        return {"log_throughput": lines / ((arrived["last_ns"] - started.at_ns) / 1e3)}


@contextmanager
def draining(reader: Sequence[str], lines: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A reader that waits for so many lines (0: until the end), and the pipe into it."""
    source, sink = os.pipe()
    process = subprocess.Popen([*reader, str(lines)], stdin=source, stdout=subprocess.PIPE)
    os.close(source)
    try:
        yield process, sink
    finally:
        process.kill()
        process.communicate()


def report_of(reader: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the reader counted, once it has seen the last line."""
    try:
        output = reader.communicate(timeout=SECONDS)[0]
    except subprocess.TimeoutExpired:
        raise MeasureError(f"the last line did not come within {SECONDS:g} s") from None
    counted: dict[str, Any] = json.loads(output)
    return counted
