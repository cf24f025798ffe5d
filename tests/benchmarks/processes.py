"""What /proc says about the processes that a benchmark started, and how they all end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def adopt_orphans() -> None:
    """Become the parent of every orphan below us, so that none can outlive the benchmark (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def parents() -> dict[int, int]:
    """The parent of every process that can be seen."""
    found: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name, in parentheses, may hold anything; the fields after it may not (proc(5)).
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                found[int(entry.name)] = int(fields[1])
    return found


def descendants(ancestor: int) -> list[int]:
    """Every process below an ancestor, children before grandchildren."""
    of = parents()
    generation, all_below = [ancestor], []
    while generation:
        generation = [pid for pid, parent in of.items() if parent in generation]
        all_below += generation
    return all_below


def resident_kib(pid: int) -> int:
    """VmRSS of a process in KiB, as proc(5) has it; 0 when it is gone or a zombie."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def wait_for_end(pidfd: int, seconds: float) -> bool:
    """Whether a process ended in time. Unlike Popen.wait this wakes up at once, not at the next poll."""
    ready = select.poll()
    ready.register(pidfd, select.POLLIN)
    return bool(ready.poll(seconds * 1000))


def end_all(first: subprocess.Popen[bytes]) -> None:
    """Kill a program, then everything below this process, over and over until nothing is left (10 s at most).

    The program goes first, or it would restart the others. Needs ``adopt_orphans``.
    """
    first.kill()
    first.wait()
    deadline = time.monotonic() + 10
    while (left := descendants(os.getpid())) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.002)
