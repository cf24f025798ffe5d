"""Lines of one family and one set of label names, and how they get the label of their process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from procwrap.metrics.grammar import QUOTED, WRITTEN_PAIR

LABEL = b"process_name"
BOUND = b"le"
_PREFIX = b"exported_"


class Run(NamedTuple):
    """Some lines.

    Attributes:
        name: the sample name of each of them, but for those of ``also``.
        labels: the names of their labels.
        lines: each with its newline.
        timed: they have a time stamp.
        series: what identifies a single line that is not written as most are; None: for each line it is all
            but its value.
        also: other sample names; their lines have all labels but ``le``.
    """

    name: bytes
    labels: tuple[bytes, ...]
    lines: bytes
    timed: bool = False
    series: bytes | None = None
    also: tuple[bytes, ...] = ()

    @property
    def names(self) -> tuple[bytes, ...]:
        """All sample names."""
        return (self.name, *self.also)

    def apart(self) -> Iterator[Run]:
        """Yield the same lines as runs of one name each; they have our label by now."""
        if not self.also:
            yield self
            return
        without_bound = self.labels[:-1]
        for name, lines in groupby(self.lines.splitlines(keepends=True), name_of):
            labels = self.labels if name == self.name else without_bound
            yield Run(name, labels, b"".join(lines), self.timed)

    def all_series(self, texts: list[bytes]) -> list[bytes]:
        """Return what identifies each line; ``texts`` are the lines without their newlines."""
        if self.series is not None:
            return [self.series]
        if self.timed:
            return [b" ".join(text.rsplit(b" ", 2)[::2]) for text in texts]
        return [text.rpartition(b" ")[0] for text in texts]


def label_of(process: str) -> bytes:
    """Return the label that all samples of a process get."""
    escaped = process.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return b'%s="%s"' % (LABEL, escaped.encode("utf-8", "replace"))


def name_of(line: bytes) -> bytes:
    """Return the sample name of a line that has our label."""
    return line[: line.index(b"{")]


def labelled(run: Run, label: bytes) -> Run:
    """Return lines of ``grammar.RUN`` and its kin with one label more in front."""
    if run.also:
        return _labelled_groups(run, label)
    name, labels, lines, timed, *_ = run
    if not labels:
        bare, full = name + b" ", name + b"{" + label + b"} "
        return Run(name, (LABEL,), _replaced_at_line_starts(lines, bare, full), timed)
    if LABEL in labels:
        labels, lines = _renamed(labels, lines)
    lines = _replaced_at_line_starts(lines, name + b"{", name + b"{" + label + b",")
    return Run(name, with_ours(labels), lines, timed)


def _labelled_groups(run: Run, label: bytes) -> Run:
    labels, lines = run.labels, b"\n" + run.lines
    if LABEL in labels:
        labels, lines = _renamed(labels, lines)
    before, after = b"\n%s{", b"\n%s{" + label.replace(b"%", b"%%") + b","
    lines = _replaced(lines, before % run.name, after % run.name)
    if len(labels) == 1:
        before, after = b"\n%s ", after[:-1] + b"} "
    for name in run.also:
        lines = _replaced(lines, before % name, after % name)
    return run._replace(labels=with_ours(labels), lines=lines[1:])


@lru_cache(maxsize=4096)
def with_ours(labels: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the names of the labels with ours in front, the same tuple for all that have the same.

    What the garbage collector need not look at costs no pause.
    """
    return (LABEL, *labels)


def exported(labels: tuple[bytes, ...]) -> bytes:
    """Return what a label of our name is called instead, as Prometheus does it."""
    name = _PREFIX + LABEL
    while name in labels:
        name = _PREFIX + name
    return name


def _replaced_at_line_starts(lines: bytes, old: bytes, new: bytes) -> bytes:
    return new + _replaced(lines[len(old) :], b"\n" + old, b"\n" + new)


def _replaced(lines: bytes, old: bytes, new: bytes) -> bytes:
    # A newline within a value is escaped: whatever follows one begins a line. lines.replace does the same
    # and takes half as long again, for it counts first.
    return new.join(lines.split(old))


def _renamed(labels: tuple[bytes, ...], lines: bytes) -> tuple[tuple[bytes, ...], bytes]:
    new = exported(labels)

    def rename(found: re.Match[bytes]) -> bytes:
        before, name, value = found.groups()
        return b"%s%s=%s" % (before, new if name == LABEL else name, value)

    return tuple(new if one == LABEL else one for one in labels), WRITTEN_PAIR.sub(rename, lines)


@lru_cache(maxsize=1024)
def without(labels: tuple[bytes, ...], left_out: bytes) -> bytes:
    """Return the pattern of a label set whose groups together are all but one of its labels.

    As the last one, which is never the only one, it may be missing.
    """
    place = labels.index(left_out)
    if place == len(labels) - 1:
        others = b",".join(b"%s=%s" % (name, QUOTED) for name in labels[:-1])
        return rb"(%s)(?:,%s=%s)?+" % (others, left_out, QUOTED)
    before, after = (
        b",".join(b"%s=%s" % (name, QUOTED) for name in names)
        for names in (labels[:place], labels[place + 1 :])
    )
    return rb"(%s),?%s=%s,?(%s)" % (before, left_out, QUOTED, after)
