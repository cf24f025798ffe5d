"""What procwrap itself uses of the machine, and what a process had spent of it when it ended."""

from __future__ import annotations

import os

from procwrap.core.limits import Usage

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def own_usage() -> Usage:
    """Measure ourselves; it takes about 50 microseconds, so that it can be done when somebody asks."""
    fields = _fields_of("self")
    times = os.times()
    return Usage(
        memory=int(fields[21]) * _PAGE,
        cpu=times.user + times.system,
        processes=1,
        threads=int(fields[17]),
        # One of them is the directory itself.
        open_files=len(os.listdir("/proc/self/fd")) - 1,
    )


def spent(pid: int) -> float | None:
    """Return the CPU seconds of a process that has ended and not been waited for yet, a zombie.

    Those of its descendants that it had waited for are part of it. None when nobody knows.
    """
    try:
        fields = _fields_of(pid)
    except (OSError, ValueError):
        return None
    return sum(map(int, fields[11:15])) * _TICK


def _fields_of(process: int | str) -> list[bytes]:
    """Read ``/proc/PID/stat`` (proc(5)) from its third field on; the second may hold anything."""
    with open(f"/proc/{process}/stat", "rb", buffering=0) as file:
        stat = file.read(4096)
    return stat[stat.rindex(b")") + 1 :].split()
