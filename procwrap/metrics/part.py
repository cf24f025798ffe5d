"""What one process has of a family.

There are many of these, so they hold as few other objects as possible: the garbage collector looks at each of
them, and that is a pause for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define, field

from procwrap.metrics import kinds
from procwrap.metrics.run import Run
from procwrap.metrics.syntax import Syntax


@define(eq=False)
class Part:
    """The samples of one family of one process, and what its target says about them.

    Attributes:
        process: whose target it is.
        given: the syntax in which it answered.
        wanted: the syntax of the result.
        kind: the type of the family; None is not known.
        help: what it is, without escapes; empty where nobody says.
        unit: of OpenMetrics.
        names: those of its samples, in their order; at most five, for more cannot belong to one family.
        counts: no number is one that counts nothing, such as NaN; that matters to OpenMetrics alone.
        timed: there are samples with a time stamp.
        untimed: there are samples without.
    """

    process: str
    given: Syntax
    wanted: Syntax
    kind: bytes | None = None
    help: bytes = b""
    unit: bytes = b""
    names: tuple[bytes, ...] = ()
    counts: bool = True
    timed: bool = False
    untimed: bool = False
    _runs: list[tuple[Any, ...]] = field(init=False, factory=list)
    """As plain tuples, for the collector never looks again at those that hold only texts."""

    @property
    def runs(self) -> Iterator[Run]:
        """Its samples, in the order of the target."""
        return map(Run._make, self._runs)

    def add(self, run: Run, key: bytes) -> None:
        """Take samples that belong to the family of this name."""
        kind = self.kind
        if kind in kinds.OWN_LABEL and not _fits(run, key, kind):
            kind = self.kind = None
        self._runs.append(tuple(run))
        for name in run.names:
            if name not in self.names:
                self.names += (name,)
        if run.timed:
            self.timed = True
        else:
            self.untimed = True
        if self.wanted is Syntax.OPENMETRICS and self.counts and (kind is None or kind in kinds.COUNTING):
            self.counts = _counts(run, quantiles=kind == kinds.SUMMARY and run.name == key)


def _fits(run: Run, key: bytes, kind: bytes | None) -> bool:
    """Return whether samples may be part of a family of this type."""
    own = kinds.OWN_LABEL.get(kind or b"")
    if own is None:
        return True
    if run.name == key:
        return kind == kinds.SUMMARY and own in run.labels
    return run.name != key + kinds.BUCKET or own in run.labels


def _counts(run: Run, *, quantiles: bool) -> bool:
    """Return whether no number is negative or none; a label that looks like one does no harm."""
    # There is a label set on every line by now.
    if b"} -" in run.lines:
        return False
    if quantiles:
        return True
    return b"} nan" not in run.lines.lower() if run.series else b"} NaN" not in run.lines
