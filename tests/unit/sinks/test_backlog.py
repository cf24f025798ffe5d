from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procwrap.sinks.backlog import Backlog

steps = st.lists(
    st.tuples(st.sampled_from(["add", "take", "done", "again"]), st.integers(1, 30)), max_size=80
)


def backlog(most_bytes: int = 100, most_records: int = 100) -> Backlog[str]:
    """A backlog of texts, each one record."""
    return Backlog(len, lambda _: 1, most_bytes, most_records)


def test_what_is_out_still_counts() -> None:
    """And cannot be dropped: who would exceed the bound then is what comes."""
    made = backlog(10)
    made.add("a" * 8)
    assert made.take(10, 10) == ("a" * 8,)
    assert made.add("b" * 3) == 1
    assert (made.bytes, made.records, len(made), made.waiting) == (8, 1, 0, (0, 0))


def test_what_comes_back_is_first() -> None:
    """In the order in which it was given out."""
    made = backlog()
    for letter in "abc":
        made.add(letter)
    made.take(2, 10)
    made.settle(("a", "b"))
    assert made.take(10, 10) == ("a", "b", "c")


@given(steps)
def test_bounds_and_order(taken: list[tuple[str, int]]) -> None:
    """Whatever happens, nothing is counted wrongly, and what is there is in order and within the bounds."""
    made, out, number, there = backlog(100, 12), (), 0, 0
    for step, size in taken:
        if step == "add":
            number += 1
            there += 1 - made.add(f"{number:02d}" + "x" * size)
        elif step == "take" and not out:
            out = made.take(size, 5)
        elif out:
            made.settle(out if step == "again" else ())
            there -= 0 if step == "again" else len(out)
            out = ()
        held = [*out, *made._waiting]
        assert held == sorted(held)
        assert made.bytes == sum(map(len, held)) <= 100
        assert made.records == len(held) == there <= 12
    assert made.clear() == there
    assert (made.bytes, made.records, made.waiting, len(made)) == (0, 0, (0, 0), 0)
