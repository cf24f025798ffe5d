from __future__ import annotations

from procwrap.core.histogram import Histogram


def test_buckets_take_what_is_not_larger() -> None:
    """A value equal to a bound belongs to its bucket, as Prometheus wants it."""
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 3.0, 100.0):
        histogram.add(value)
    assert histogram.cumulative() == [2, 3, 5]
    assert histogram.total == 106.0


def test_it_does_not_grow() -> None:
    """However much is counted, the buckets stay the same."""
    histogram = Histogram()
    before = len(histogram.cumulative())
    for number in range(10_000):
        histogram.add(number / 100)
    assert len(histogram.cumulative()) == before
    assert histogram.cumulative()[-1] == 10_000
