from __future__ import annotations

import os

from tests.benchmarks import processes


def test_this_process_is_below_its_parent() -> None:
    """The tree that is killed after a benchmark is read from /proc."""
    assert os.getpid() in processes.descendants(os.getppid())
    assert os.getppid() not in processes.descendants(os.getpid())


def test_resident_memory_is_in_kib() -> None:
    """A Python takes between 5 MiB and 2 GiB; a process that is gone takes nothing."""
    assert 5_000 < processes.resident_kib(os.getpid()) < 2_000_000
    assert processes.resident_kib(2**22 + 1) == 0
