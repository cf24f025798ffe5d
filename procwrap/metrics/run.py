"""Lines of one sample name and one set of label names, and how they get the label of their process."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from procwrap.metrics.grammar import QUOTED, WRITTEN_PAIR

LABEL = b"process_name"
_PREFIX = b"exported_"


class Run(NamedTuple):
    """Some lines.

    Attributes:
        name: the sample name of each of them.
        labels: the names of their labels.
        lines: each with its newline.
        timed: they have a time stamp.
        series: what identifies a single line that is not written as most are; None: for each line it is all
            but its value.
    """

    name: bytes
    labels: tuple[bytes, ...]
    lines: bytes
    timed: bool = False
    series: bytes | None = None

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


def labelled(run: Run, label: bytes) -> Run:
    """Return lines of ``grammar.RUN`` and its kin with one label more in front."""
    name, labels, lines, timed, _ = run
    if not labels:
        bare, full = name + b" ", name + b"{" + label + b"} "
        return Run(name, (LABEL,), _replaced_at_line_starts(lines, bare, full), timed)
    if LABEL in labels:
        labels, lines = _renamed(labels, lines)
    lines = _replaced_at_line_starts(lines, name + b"{", name + b"{" + label + b",")
    return Run(name, with_ours(labels), lines, timed)


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
    # A newline within a value is escaped: whatever follows one begins a line.
    return new + lines[len(old) :].replace(b"\n" + old, b"\n" + new)


def _renamed(labels: tuple[bytes, ...], lines: bytes) -> tuple[tuple[bytes, ...], bytes]:
    new = exported(labels)

    def rename(found: re.Match[bytes]) -> bytes:
        before, name, value = found.groups()
        return b"%s%s=%s" % (before, new if name == LABEL else name, value)

    return tuple(new if one == LABEL else one for one in labels), WRITTEN_PAIR.sub(rename, lines)


@lru_cache(maxsize=1024)
def without(labels: tuple[bytes, ...], left_out: bytes) -> bytes:
    """Return the pattern of a label set whose groups together are all but one of its labels."""
    place = labels.index(left_out)
    before, after = (
        b",".join(b"%s=%s" % (name, QUOTED) for name in names)
        for names in (labels[:place], labels[place + 1 :])
    )
    return rb"(%s),?%s=%s,?(%s)" % (before, left_out, QUOTED, after)
