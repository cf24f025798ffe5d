from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.stamps import MeasureError, Stamp, Stamps, parse


@pytest.fixture
def stamps(tmp_path: Path) -> Iterator[Stamps]:
    made = Stamps.create(tmp_path / "stamps")
    yield made
    made.close()


def tell(stamps: Stamps, text: bytes) -> None:
    fifo = os.open(stamps.path, os.O_WRONLY)
    os.write(fifo, text)
    os.close(fifo)


def test_a_line_that_is_not_whole_is_kept_for_later() -> None:
    """A read may end in the middle of a stamp."""
    assert parse(b"12 3456\n13 34") == ([Stamp(12, 3456)], b"13 34")
    assert parse(b"13 34") == ([], b"13 34")


def test_stamps_are_handed_out_in_the_order_in_which_they_came(stamps: Stamps) -> None:
    """The launcher's stamp is the first, the children's follow."""
    tell(stamps, b"1 100\n2 200\n")
    tell(stamps, b"3 300\n")
    assert stamps.take(1, 5) == [Stamp(1, 100)]
    assert stamps.take(2, 5) == [Stamp(2, 200), Stamp(3, 300)]


def test_children_that_do_not_start_in_time_are_named(stamps: Stamps) -> None:
    """No benchmark waits for ever."""
    tell(stamps, b"1 100\n")
    with pytest.raises(MeasureError, match="1 of 2 children started within 0 s"):
        stamps.take(2, 0)


def test_the_end_of_the_program_ends_the_wait(stamps: Stamps) -> None:
    """A program that refuses its config fails at once, not after the time limit."""
    ended, writer = os.pipe()
    os.close(writer)
    with pytest.raises(MeasureError, match="it ended with 0 of 1 children started"):
        stamps.take(1, 60, ended)
    os.close(ended)
