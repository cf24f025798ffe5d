"""How often something took how long, in a fixed number of buckets."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from attrs import define, field

SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for what should take milliseconds and may take seconds."""


@define(eq=False)
class Histogram:
    """Counts values; its size does not depend on how many they are.

    Attributes:
        bounds: the largest value of each bucket, rising; a last bucket takes all that are larger.
        total: the sum of all values.
    """

    bounds: tuple[float, ...] = SECONDS
    total: float = 0.0
    _counts: list[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with empty buckets."""
        self._counts = [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def cumulative(self) -> list[int]:
        """Return for each bound how many values were not larger; the last number is that of all values."""
        return list(accumulate(self._counts))
