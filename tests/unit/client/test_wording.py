from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.client.wording import cpu, memory, number, span, whole


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"), (0.9, "0s"), (-3, "0s"), (59.9, "59s"), (60, "1m"), (61, "1m1s"), (3599, "59m59s"),
        (3600, "1h"), (7384.2, "2h3m"), (86_400, "1d"), (90_000, "1d1h"), (8_640_000, "100d"),
        (None, "-"), ("7", "-"), (True, "-"),
    ],
)  # fmt: skip
def test_a_span(seconds: object, words: str) -> None:
    """The two largest units; of what is no number, a dash."""
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (0, "0B"), (1023, "1023B"), (1024, "1.0KiB"), (102_290, "99.9KiB"), (102_400, "100KiB"),
        (1024**2 - 1, "1.0MiB"), (14_050_000, "13.4MiB"), (3 * 1024**4, "3.0TiB"),
        (None, "-"), (-1, "-"), (math.nan, "-"),
    ],
)  # fmt: skip
def test_memory(octets: object, words: str) -> None:
    """Three figures that matter."""
    assert memory(octets) == words


def test_cpu_and_whole_numbers() -> None:
    """A fraction of one core, in percent."""
    assert [cpu(0.0321), cpu(2), cpu(None), cpu(math.inf)] == ["3.2%", "200.0%", "-", "-"]
    assert [whole(31), whole(31.0), whole(None), whole("31")] == ["31", "31", "-", "-"]


@given(st.one_of(st.integers(), st.floats(), st.text(), st.booleans(), st.none(), st.just(10**400)))
def test_whatever_a_host_says(value: object) -> None:
    """Every figure is a short word."""
    assert number(value) is None or isinstance(value, int | float)
    assert all(0 < len(write(value)) <= 20 for write in (span, memory, cpu, whole))
