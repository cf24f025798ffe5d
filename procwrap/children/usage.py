"""Reads what whole process trees use of the machine.

Who belongs to whom is read in one pass over /proc: ``psutil.Process.children`` makes such a pass for each
process that it is asked about. What each of them uses is asked of psutil. Both may take long on a machine
with many processes, so nothing here is for the reactor's thread.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import psutil
from attrs import define, field, frozen

from procwrap.core.limits import Usage


@frozen
class Kin:
    """To whom a process belongs."""

    parent: int
    group: int


def kin_of(stat: bytes) -> Kin:
    """Read the parent and the process group out of ``/proc/PID/stat`` (proc(5)).

    The command's name stands in parentheses and may hold anything, spaces and parentheses too; behind it
    there are none any more.
    """
    words = stat[stat.rindex(b")") + 1 :].split(maxsplit=3)
    return Kin(int(words[1]), int(words[2]))


def everybody() -> Iterator[tuple[int, Kin]]:
    """Yield every process there is; one that ends while it is looked at is left out."""
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb", buffering=0) as file:
                    yield int(name), kin_of(file.read(4096))
            except (OSError, ValueError):
                continue


def families(leaders: Iterable[int], processes: Iterable[tuple[int, Kin]]) -> dict[int, set[int]]:
    """Return for each leader itself, all its descendants, and those of its process group.

    A process whose parent has ended belongs to another one from then on, but stays in its group.

    Args:
        leaders: leaders of process groups; one that is gone has no family.
        processes: every process.
    """
    alive: set[int] = set()
    children: dict[int, list[int]] = defaultdict(list)
    members: dict[int, list[int]] = defaultdict(list)
    for pid, kin in processes:
        alive.add(pid)
        children[kin.parent].append(pid)
        members[kin.group].append(pid)
    return {
        leader: _descendants([leader, *members[leader]], children) for leader in leaders if leader in alive
    }


def _descendants(todo: list[int], children: Mapping[int, list[int]]) -> set[int]:
    found = set(todo)
    while todo:
        further = [child for child in children.get(todo.pop(), ()) if child not in found]
        found.update(further)
        todo += further
    return found


@define(eq=False)
class UsageReader:
    """Measures; one measurement at a time, in whichever thread."""

    _known: dict[int, psutil.Process] = field(factory=dict)
    """What psutil has found out about a process once, so that it need not each time."""

    def read(self, leaders: Iterable[int]) -> dict[int, Usage]:
        """Measure what the families of these leaders use; those that are gone are left out."""
        found = families(leaders, everybody())
        wanted = set().union(*found.values())
        self._known = {pid: process for pid, process in self._known.items() if pid in wanted}
        return {leader: _sum(self._each(family)) for leader, family in found.items()}

    def _each(self, family: Iterable[int]) -> Iterator[Usage]:
        for pid in family:
            try:
                yield _one(self._known.get(pid) or self._known.setdefault(pid, psutil.Process(pid)))
            except (psutil.Error, OSError):
                # It has ended just now, or is a zombie.
                continue


def _one(process: psutil.Process) -> Usage:
    with process.oneshot():
        times = process.cpu_times()
        cpu = times.user + times.system + times.children_user + times.children_system
        return Usage(process.memory_info().rss, cpu, 1, process.num_threads(), _open_files(process))


def _open_files(process: psutil.Process) -> int | None:
    try:
        return process.num_fds()
    except psutil.AccessDenied:
        return None


def _sum(usages: Iterable[Usage]) -> Usage:
    memory, cpu, processes, threads, files = 0, 0.0, 0, 0, 0
    unknown = False
    for usage in usages:
        memory += usage.memory
        cpu += usage.cpu
        processes += usage.processes
        threads += usage.threads
        files += usage.open_files or 0
        unknown = unknown or usage.open_files is None
    return Usage(memory, cpu, processes, threads, None if unknown else files)
