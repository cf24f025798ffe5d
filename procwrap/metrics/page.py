"""The text of /metrics while it is being written.

Why not ``prometheus_client.generate_latest``: it writes ``_total`` behind the names of all counters, also of
those that have to be kept without, and takes three times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from attrs import define, field

from procwrap.core.histogram import Histogram
from procwrap.metrics.family import FAMILIES, Family
from procwrap.metrics.syntax import Syntax

_SPECIAL = re.compile(r'["\\\n]')
_ESCAPES = {'"': r"\"", "\\": r"\\", "\n": r"\n"}


def label(name: str, value: str) -> str:
    """Write one label."""
    escaped = _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value)
    return f'{name}="{escaped}"'


@define(eq=False)
class Page:
    """Collects the samples of each family; they can come in any order.

    Args:
        families: in the order in which they are written.
    """

    _families: Sequence[Family] = FAMILIES
    _samples: dict[str, list[str]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin without a sample."""
        self._samples = {family.name: [] for family in self._families}

    def add(self, family: Family, labels: str, value: float) -> None:
        """Add a sample.

        Args:
            family: one of those of this page.
            labels: as ``label`` writes them, joined by commas; empty for none.
            value: a finite number.
        """
        name = family.name
        braces = f"{{{labels}}}" if labels else ""
        self._samples[name].append(f"{name}{braces} {value!r}\n")

    def add_histogram(self, family: Family, labels: str, histogram: Histogram) -> None:
        """Add the samples of a histogram."""
        name, comma = family.name, "," if labels else ""
        counts = histogram.cumulative()
        add = self._samples[name].append
        for bound, count in zip(_bounds(histogram.bounds), counts, strict=True):
            add(f'{name}_bucket{{{labels}{comma}le="{bound}"}} {count}\n')
        braces = f"{{{labels}}}" if labels else ""
        add(f"{name}_sum{braces} {histogram.total!r}\n{name}_count{braces} {counts[-1]}\n")

    def write(self, syntax: Syntax) -> Iterator[bytes]:
        """Yield the families that have samples, one at a time."""
        for family in self._families:
            samples = self._samples[family.name]
            if samples:
                yield (family.head(syntax) + "".join(samples)).encode("utf-8", "replace")
        if syntax is Syntax.OPENMETRICS:
            yield b"# EOF\n"


@cache
def _bounds(bounds: tuple[float, ...]) -> tuple[str, ...]:
    return (*(repr(float(bound)) for bound in bounds), "+Inf")
