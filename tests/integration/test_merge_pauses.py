"""How long merging holds the reactor, in processor time: what a machine does besides does not matter."""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Iterable, Iterator

import pytest

from procwrap.metrics.merge import Form, Merge, Target
from procwrap.metrics.syntax import Syntax
from procwrap.web.slices import SLICE
from tests.benchmarks.exposer import exposition

pytestmark = [pytest.mark.integration, pytest.mark.alone]

PROCESSES = [f"p{number:02d}" for number in range(20)]
PIECE = 64 * 1024
LONGEST = 0.020
"""Seconds that the reactor may be held."""
BUSY = 2
"""So many times as long takes what needs much memory, on a machine that does something else besides."""


def body(times: int) -> bytes:
    """An exposition of so many times 2,000 series."""
    return b"".join(exposition(0).replace(b"app_", b"app%d_" % number) for number in range(times))


def pieces(whole: bytes) -> list[bytes]:
    """As it comes over the wire."""
    return [whole[start : start + PIECE] for start in range(0, len(whole), PIECE)]


def in_turn(works: Iterable[Iterator[None]]) -> Iterator[None]:
    """Do a step of each, and then the next of each: all targets are read at the same time."""
    left = deque(works)
    while left:
        work = left.popleft()
        if next(work, work) is not work:
            left.append(work)
        yield


def seconds(steps: Iterable[object]) -> Iterator[float]:
    """Do all steps; yield the processor time of each."""
    began = time.thread_time()
    for _ in steps:
        yield time.thread_time() - began
        began = time.thread_time()
    yield time.thread_time() - began


@pytest.mark.parametrize("syntax", Syntax)
@pytest.mark.parametrize(("times", "longest"), [(1, LONGEST), (13, BUSY * LONGEST)])
def test_no_step_is_long(syntax: Syntax, times: int, longest: float) -> None:
    """Not for 20 targets of 2,000 series, nor for a result of 50 MB; the collector's part included."""
    whole = pieces(body(times))
    # As /prommerge does before its first merge.
    gc.collect()
    gc.freeze()
    try:
        merge = Merge(Form(syntax))
        reading = [merge.read(Target(process, whole)) for process in PROCESSES]
        took = [max(seconds(in_turn(reading))), max(seconds(merge.write(PROCESSES)))]
    finally:
        gc.unfreeze()
    assert not merge.problems
    # A slice ends after the step in which its time was over.
    assert SLICE + max(took) <= longest, took
