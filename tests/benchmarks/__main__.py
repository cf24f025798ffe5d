"""``python -m tests.benchmarks``: measure, print one table a figure, hold them to the promises on request."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import instruments, limits, machine, options, processes, report
from tests.benchmarks.cases.case import QUICK, Bench, Load
from tests.benchmarks.figures import Table
from tests.benchmarks.programs.peersvenv import provide
from tests.benchmarks.programs.roster import call_roll
from tests.benchmarks.rounds import measure_case


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 1 when ``--check`` found a promise broken, else 0."""
    asked = options.parse(arguments)
    processes.adopt_orphans()
    # As Ctrl-C does, so that everything that was started ends with us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    roster = call_roll(provide(asked.peers_venv), asked.peer)
    show = report.as_markdown if asked.markdown else report.as_text
    tables: list[Table] = []
    with tempfile.TemporaryDirectory(prefix="procwrap-benchmarks-") as directory:
        bench = Bench(instruments.build(Path(directory)), QUICK if asked.quick else Load())
        about = {**machine.describe(), **machine.versions(roster.version_commands), "runs": f"{asked.runs}"}
        about["children"] = bench.instruments.described
        print_line("; ".join(f"{name} {value}" for name, value in about.items()) + "\n")
        for name in asked.only:
            measured = measure_case(options.CASES[name], roster, bench, asked.runs, note)
            tables += measured
            print_line("\n".join(show(table) for table in measured))
    if asked.json:
        asked.json.write_text(report.as_json(tables, about))
    return verdict(tables) if asked.check else 0


def verdict(tables: Sequence[Table]) -> int:
    """Print what missed; returns the exit status."""
    missed = limits.missed(tables)
    print_line("\n".join(["missed:", *missed]) if missed else "all promises kept")
    return 1 if missed else 0


def print_line(text: str) -> None:
    """Print at once: a whole run takes minutes."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Say on stderr how far it is."""
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("interrupted")
