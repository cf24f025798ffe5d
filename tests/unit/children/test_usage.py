from __future__ import annotations

import os

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.children.usage import Kin, UsageReader, everybody, families, kin_of

STAT = b"4711 (%b) S 17 31 31 0 -1 4194304 90 0 0 0 0 0 0 0 20 0 1 0 12345 2568192 201"


@pytest.mark.parametrize("name", [b"sh", b"a b", b") S 1 1 (", b"((", b"))", b"", b"\n) R 2 2 2"])
def test_a_name_hides_nothing(name: bytes) -> None:
    """A process may call itself whatever it likes, `)` and spaces included."""
    assert kin_of(STAT % name) == Kin(parent=17, group=31)


@given(st.binary(max_size=15))
def test_any_name_at_all(name: bytes) -> None:
    """Also one of bytes that are no text."""
    assert kin_of(STAT % name) == Kin(parent=17, group=31)


def test_a_family() -> None:
    """The leader, its descendants in whichever group, and those of its group who lost their parents."""
    processes = {
        10: Kin(1, 10),
        11: Kin(10, 10),
        12: Kin(11, 12),  # a grandchild that leads a group of its own
        13: Kin(12, 12),
        14: Kin(1, 10),  # its parent has ended
        15: Kin(14, 15),
        20: Kin(1, 20),
        21: Kin(1, 1),
    }
    assert families([10, 20, 30], processes.items()) == {10: {10, 11, 12, 13, 14, 15}, 20: {20}}


def test_a_circle_of_parents_ends() -> None:
    """/proc is no snapshot: what is read while processes come and go may contradict itself."""
    assert families([10], {10: Kin(11, 10), 11: Kin(10, 11)}.items()) == {10: {10, 11}}


def test_a_hundred_thousand_generations() -> None:
    """No recursion, and no time that grows with the square."""
    processes = [(pid, Kin(pid - 1, 1)) for pid in range(2, 100_002)]
    assert len(families([2], processes)[2]) == 100_000


def test_this_process_is_among_everybody() -> None:
    """As the kernel's other ways of telling say."""
    assert dict(everybody())[os.getpid()] == Kin(os.getppid(), os.getpgrp())


def test_what_is_read_of_this_process() -> None:
    """The figures are those of psutil, and those of the kernel's own counters."""
    pid = os.getpid()
    seen = UsageReader().read([pid])[pid]
    assert seen.memory >= psutil.Process().memory_info().rss * 0.8
    assert seen.cpu >= sum(os.times()[:2]) * 0.8
    assert seen.processes >= 1
    assert seen.threads >= 1
    assert seen.open_files is not None
    assert seen.open_files >= 3


def test_nobody_who_is_gone_is_read() -> None:
    """A leader that has ended meanwhile is left out; nothing about it is kept."""
    reader = UsageReader()
    assert list(reader.read([os.getpid(), 2**30])) == [os.getpid()]
    assert reader.read([2**30]) == {}
    assert reader._known == {}
