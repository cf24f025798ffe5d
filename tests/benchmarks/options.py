"""The command line of ``python -m tests.benchmarks``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.cases.case import Case
from tests.benchmarks.cases.firstchild import FirstChild
from tests.benchmarks.cases.manychildren import ManyChildren
from tests.benchmarks.cases.memory import Memory
from tests.benchmarks.cases.merging import Merging, Metrics
from tests.benchmarks.cases.probes import Probes
from tests.benchmarks.cases.probing import Probing
from tests.benchmarks.cases.restart import Restart
from tests.benchmarks.cases.stop import Stop
from tests.benchmarks.cases.throughput import Throughput
from tests.benchmarks.programs.custom import Custom

CASES: dict[str, Case] = {
    case.name: case
    for case in (
        Throughput(),
        FirstChild(),
        Memory(),
        Restart(),
        ManyChildren(),
        Probing(),
        Probes(),
        Merging(),
        Metrics(),
        Stop(),
    )
}


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the arguments; on a mistake prints it and exits with status 2, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure procwrap side by side with supervisord, circus, s6-log and tini.",
    )
    add = parser.add_argument
    add(
        "--only",
        type=_cases,
        default=list(CASES),
        metavar="NAME,…",
        help=f"just these of: {', '.join(CASES)}",
    )
    add("--runs", type=_positive, default=5, help="rounds that count (default 5)")
    add("--quick", action="store_true", help="a smaller load, to see that everything works")
    add("--peer", type=_peer, action="append", default=[], metavar="NAME=COMMAND", help=Custom.__doc__)
    add(
        "--peers-venv",
        type=Path,
        metavar="DIR",
        help="has supervisord and circus (default: installed into the cache)",
    )
    add("--json", type=Path, metavar="FILE", help="write every single value there")
    add("--markdown", action="store_true", help="print Markdown tables")
    add("--check", action="store_true", help="exit 1 and name what missed if a promised figure is missed")
    return parser.parse_args(arguments)


def _cases(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in CASES]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"no benchmark is called {unknown[0]!r}; there are {', '.join(CASES)}"
        )
    return names


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1, got {text!r}")
    return int(text)


def _peer(text: str) -> Custom:
    try:
        return Custom.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
