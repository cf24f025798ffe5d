"""What a process uses of the machine, and whether that is more than it may."""

from __future__ import annotations

import math

from attrs import frozen

_MEBIBYTE = 1024 * 1024


@frozen
class Usage:
    """What a process and its descendants use together, at one moment.

    Attributes:
        memory: bytes of resident memory (statm in proc(5)), summed: a page that several of them share counts
            once for each.
        cpu: seconds of CPU time, user and system, of all that run and of those that they have waited for. It
            can shrink when one ends that nobody of them waits for.
        processes: how many they are.
        threads: how many threads they have.
        open_files: how many descriptors they have open; None when that may not be read.
    """

    memory: int
    cpu: float
    processes: int
    threads: int
    open_files: int | None


def excess(usage: Usage, memory_limit: int) -> str | None:
    """Say in one line by what a process is over its limit; None when it is not.

    Args:
        usage: what it uses.
        memory_limit: bytes.
    """
    if usage.memory <= memory_limit:
        return None
    return f"memory {_mebibytes(usage.memory)} MiB over the limit of {_mebibytes(memory_limit)} MiB"


def _mebibytes(size: int) -> str:
    # Rounded up: what is over the limit shall not look as if it were not.
    return f"{math.ceil(size / _MEBIBYTE * 10) / 10:.1f}".removesuffix(".0")
