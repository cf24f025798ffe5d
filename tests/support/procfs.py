"""What Linux tells about processes, for tests that start real ones."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.hosted import PATIENCE


def eventually(seen: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait until something is true, and return it; fail when it does not come."""
    deadline = time.monotonic() + seconds
    while not (found := seen()):
        assert time.monotonic() < deadline, "not seen"
        time.sleep(0.01)
    return found


def status(pid: int | str) -> dict[str, str]:
    """Return the fields of ``/proc/PID/status``; none when there is no such process."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return fields(Path(f"/proc/{pid}/status").read_text())
    return {}


def fields(text: str) -> dict[str, str]:
    """Return the fields of a text such as ``/proc/PID/status``."""
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name: value.strip() for name, _, value in pairs}


def everybody() -> Iterator[tuple[int, dict[str, str]]]:
    """Yield every process with its status."""
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (found := status(entry)):
            yield int(entry), found


def children_of(pid: int) -> list[int]:
    """Return the pids of its children, zombies among them."""
    return [child for child, found in everybody() if int(found["PPid"]) == pid]


def zombies_of(pid: int) -> list[int]:
    """Return the pids of its children that have ended and that it has not reaped."""
    return [
        child for child, found in everybody() if int(found["PPid"]) == pid and found["State"].startswith("Z")
    ]


def marked(mark: str) -> list[int]:
    """Return the pids of those whose environment holds ``mark``, this process excepted."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if int(pid) != os.getpid() and mark.encode() in Path(f"/proc/{pid}/environ").read_bytes():
                found.append(int(pid))
    return found


def kill(*pids: int) -> None:
    """End what a test has left on purpose."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def signal_group(leader: int, number: int) -> None:
    """Send a signal to the group that a process leads; refuse everything else, above all kill(-1)."""
    assert leader > 1, leader
    assert os.getpgid(leader) == leader != os.getpgrp(), leader
    os.killpg(leader, number)


def group_left(group: int) -> bool:
    """Return whether a process group has a member that is no zombie."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = entry.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0] != "Z" and int(words[2]) == group:
            return True
    return False
