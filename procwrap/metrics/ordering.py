"""The lines of one family of one process: each series once, sorted or grouped, in steps that are never long.

Everything here yields pieces of text; an empty piece is a mere pause.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from heapq import merge
from itertools import islice

from procwrap.metrics.grammar import LABEL_NAME, QUOTED
from procwrap.metrics.run import Run, name_of, without

STEP = 4096
"""Lines that are worked on without a pause."""

_LABEL = LABEL_NAME + rb"=" + QUOTED
_ALL_LABELS = rb"(" + _LABEL + rb"(?:," + _LABEL + rb")*+)"


def unrepeated(runs: Iterable[Run], repeats: list[bytes]) -> Iterator[bytes]:
    """Yield the lines as they are, those that repeat a series left out.

    Args:
        runs: the lines.
        repeats: gets the sample name of each line that was left out.
    """
    some: list[bytes] = []
    for _, texts in _distinct(runs, repeats):
        some += texts
        if len(some) > STEP:
            yield _joined(some)
            some = []
    yield _joined(some)


def sorted_lines(runs: Iterable[Run], repeats: list[bytes]) -> Iterator[bytes]:
    """Yield the lines sorted by their bytes, those that repeat a series left out."""
    parts: list[list[bytes]] = [[]]
    for _, texts in _distinct(runs, repeats):
        if len(parts[-1]) > STEP:
            parts[-1].sort()
            parts.append([])
            yield b""
        parts[-1] += texts
    parts[-1].sort()
    if len(parts) == 1:
        yield _joined(parts[0])
        return
    ordered = merge(*parts)
    while some := list(islice(ordered, STEP)):
        yield _joined(some)


def grouped(runs: Iterable[Run], own: bytes | None, repeats: list[bytes]) -> Iterator[bytes]:
    """Yield the lines so that those with the same labels follow each other, as OpenMetrics wants it.

    Args:
        runs: the lines.
        own: the label that lines of one group differ in, ``le`` or ``quantile``.
        repeats: as above.
    """
    groups: dict[bytes, list[bytes]] = {}
    done = 0
    for run, texts in _distinct(runs, repeats):
        find = _label_set(run.labels, own).search
        for text in texts:
            found = find(text)
            key = b",".join(filter(None, found.groups())) if found else b""
            groups.setdefault(key, []).append(text)
        done += len(texts)
        if done > STEP:
            done = 0
            yield b""
    some: list[bytes] = []
    for group in groups.values():
        some += group
        if len(some) > STEP:
            yield _joined(some)
            some = []
    yield _joined(some)


def _distinct(runs: Iterable[Run], repeats: list[bytes]) -> Iterator[tuple[Run, list[bytes]]]:
    """Yield the lines of each run without their newlines; of a series that comes twice, the first counts."""
    seen: set[bytes] = set()
    for run in runs:
        texts = run.lines[:-1].split(b"\n")
        series = run.all_series(texts)
        new = set(series)
        if len(new) < len(texts) or not seen.isdisjoint(new):
            texts = _first_ones(texts, series, seen, repeats)
        else:
            seen |= new
        yield run, texts


def _first_ones(
    texts: list[bytes], series: list[bytes], seen: set[bytes], repeats: list[bytes]
) -> list[bytes]:
    kept: list[bytes] = []
    for text, one in zip(texts, series, strict=True):
        if one in seen:
            repeats.append(name_of(text))
        else:
            seen.add(one)
            kept.append(text)
    return kept


@lru_cache(maxsize=1024)
def _label_set(labels: tuple[bytes, ...], own: bytes | None) -> re.Pattern[bytes]:
    pattern = without(labels, own) if own is not None and own in labels else _ALL_LABELS
    return re.compile(rb"\{" + pattern + rb"\}")


def _joined(lines: list[bytes]) -> bytes:
    return b"\n".join(lines) + b"\n" if lines else b""
