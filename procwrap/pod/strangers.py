"""SIGTERM to the processes of other containers, which are seen where a Pod shares its process namespace.

All of this blocks, a little: it is called aside.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import define, frozen

from procwrap.core.events import Level
from procwrap.core.oneline import one_line

_COMM = 15
"""Characters of a command's name that the kernel keeps (TASK_COMM_LEN in Linux, without its NUL)."""
_DELETED = " (deleted)"

Line = tuple[Level, str]
"""Something for the log."""


@frozen
class Seen:
    """A process.

    Attributes:
        comm: what the kernel calls it, cut.
        executable: the name of the file that it runs; empty when we may not know that.
    """

    pid: int
    parent: int
    comm: str
    executable: str

    def is_called(self, name: str) -> bool:
        """Tell whether it runs an executable, or a script, of this name."""
        if self.executable == name:
            return True
        # What is cut says too little where more is known.
        whole = len(name) <= _COMM or not self.executable
        return whole and self.comm == name[:_COMM]

    def __str__(self) -> str:
        return f"{one_line(self.executable or self.comm, 60)} ({self.pid})"


def send(pid: int, still_meant: Callable[[], bool]) -> None:
    """Send SIGTERM to a process, unless its pid has become another's meanwhile.

    Raises:
        OSError: it is gone, or may not be signalled.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError:
        # Only some sandboxes cannot do it.
        os.kill(pid, signal.SIGTERM)
        return
    try:
        if still_meant():
            signal.pidfd_send_signal(descriptor, signal.SIGTERM)
    finally:
        os.close(descriptor)


@define(eq=False)
class Strangers:
    """Those we may end: never ourselves, nor those who started us, nor PID 1.

    PID 1 is the Pod's pause process where containers share their processes: with it, everything would be
    killed at once, our exit code included. A child of ours ends with our container.

    Args:
        own: our pid.
        proc: where procfs is mounted.
        send: sends SIGTERM.
    """

    _own: int
    _proc: str = "/proc"
    _send: Callable[[int, Callable[[], bool]], None] = send

    def end_named(self, names: Sequence[str]) -> list[Line]:
        """Send SIGTERM to whatever is called by one of these names; return what to say about it."""
        seen = self._all()
        spared = self._spared(seen)
        lines: list[Line] = []
        for name in names:
            found = [one for one in seen.values() if one.is_called(name)]
            meant = [one for one in found if one.pid not in spared]
            if not meant:
                why = "but ourselves, or PID 1" if found else ""
                lines.append((Level.WARNING, f"nothing to end: no process is called {name} {why}".rstrip()))
            lines += [self._end(one) for one in meant]
        return lines

    def end_all(self) -> list[Line]:
        """Send SIGTERM to everything that is no descendant of ours; return what to say about it."""
        seen = self._all()
        spared = self._spared(seen)
        strangers = [one for one in seen.values() if one.pid not in spared]
        return [self._end(one) for one in strangers if self._own not in _line_of(one.pid, seen)]

    def _end(self, one: Seen) -> Line:
        try:
            self._send(one.pid, lambda: self._look(one.pid) == one)
        except ProcessLookupError:
            return Level.DEBUG, f"{one} has ended already"
        except OSError as error:
            return Level.WARNING, f"cannot end {one}: {error.strerror}"
        return Level.INFO, f"sent SIGTERM to {one}"

    def _spared(self, seen: Mapping[int, Seen]) -> set[int]:
        return {1, self._own, *_line_of(self._own, seen)}

    def _all(self) -> dict[int, Seen]:
        if os.readlink(f"{self._proc}/self") != str(self._own):
            raise RuntimeError(f"{self._proc} shows the processes of another PID namespace")
        pids = sorted(int(name) for name in os.listdir(self._proc) if name.isdecimal())
        looked = (self._look(pid) for pid in pids)
        return {one.pid: one for one in looked if one is not None}

    def _look(self, pid: int) -> Seen | None:
        """Look at a process; None when it is gone, or a zombie."""
        try:
            with open(f"{self._proc}/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                # The name may hold blanks and parentheses: what counts is behind the last one (proc(5)).
                head, _, tail = stat.read().rpartition(")")
            state, parent = tail.split()[:2]
        except (OSError, ValueError):
            return None
        if state == "Z":
            return None
        return Seen(pid, int(parent), head.partition("(")[2], self._executable(pid))

    def _executable(self, pid: int) -> str:
        try:
            path = os.readlink(f"{self._proc}/{pid}/exe")
        except OSError:
            return ""
        return os.path.basename(path.removesuffix(_DELETED))


def _line_of(pid: int, seen: Mapping[int, Seen]) -> Iterator[int]:
    """Yield the parents of a process, one after the other."""
    for _ in range(len(seen)):
        one = seen.get(pid)
        if one is None or one.parent == 0:
            return
        pid = one.parent
        yield pid
