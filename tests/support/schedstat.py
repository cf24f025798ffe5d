"""What a process really did with its time, however busy the machine is."""

from __future__ import annotations

from pathlib import Path


def scheduled(pid: int) -> tuple[float, float]:
    """Return the seconds that the main thread of a process has run, and waited for a processor.

    Source: Linux's Documentation/scheduler/sched-stats.rst.
    """
    ran, waited, _ = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()
    return int(ran) / 1e9, int(waited) / 1e9
