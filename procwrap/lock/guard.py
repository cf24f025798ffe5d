"""The guard: kills the process of a lock that was not renewed in time, whatever has become of procwrap.

It is a process of its own (``python -I -S`` on this file), so that neither a SIGSTOP to procwrap nor a busy
reactor keeps it from its work. Nothing but a little of the standard library is imported.

Its standard input is one end of a socket pair (SOCK_SEQPACKET: messages stay whole). What comes in:

- ``keep RUN SECONDS``: this run may go on until this second of the boot-time clock (clock_gettime(2)).
- ``begun RUN PID``, with a descriptor of the process (pidfd_open(2)): said by the process itself before it
  becomes the command, so that there is no command that the guard does not know.
- ``over RUN``: it is gone with everything in its group, and its pid may belong to somebody else.
- ``bye``: nothing is left to guard.

What goes out: ``up`` once, ``kept RUN`` for each keep, ``killed RUN``. When the other end closes without a
word, procwrap is dead, and everything is killed at once; so it is when anything goes wrong here.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import suppress
from select import POLLIN, poll

LONGEST_MESSAGE = 256
LONGEST_NAP = 1.0
"""Seconds. poll(2) does not count those that a suspended machine sleeps through, and the deadlines do."""
MOST_DESCENDANTS = 4096

_DEAF_TO = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")


class Run:
    """One run of a process.

    Attributes:
        deadline: seconds of the boot-time clock until which it may go on.
        pid: the process, which leads a group; 0 before it has begun.
    """

    def __init__(self) -> None:
        self.deadline = 0.0
        self.pid = 0
        self._pidfd = -1
        self._killed = False

    @property
    def armed(self) -> bool:
        """Whether there is something to kill."""
        return self.pid > 1 and not self._killed

    def begin(self, pid: int, pidfd: int) -> None:
        """Note which process it is; -1 where the system has no descriptors of processes."""
        self.pid, self._pidfd = pid, pidfd

    def kill(self) -> None:
        """Kill its group, and those of its descendants that have left the group."""
        self._killed = True
        if not self._is_ours():
            return
        left = strays(self.pid)
        # Nobody may be there any more; or some have changed their user, and the others are killed.
        with suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        # The process itself may have joined another group, too.
        for pidfd in (*left, self._pidfd):
            with suppress(OSError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        for pidfd in left:
            os.close(pidfd)

    def forget(self) -> None:
        """Let go of its descriptor."""
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1

    def _is_ours(self) -> bool:
        """Return whether the pid still means what it meant.

        A process that nobody has waited for keeps its pid, and so does a group that has a member. If ours is
        gone for good and there is a process of this pid all the same, pid and group are somebody else's.
        """
        if self._pidfd < 0:
            return True
        try:
            signal.pidfd_send_signal(self._pidfd, 0)
        except ProcessLookupError:
            return not os.path.exists(f"/proc/{self.pid}")
        except OSError:
            return True
        return True


def strays(group: int) -> list[int]:
    """Return descriptors of the descendants of a group's leader that have left the group.

    Each is looked up again after its descriptor was opened: so it is one of them for sure, whatever pids have
    come and gone in between.
    """
    found: list[int] = []
    todo, seen = [group], 0
    while todo and seen < MOST_DESCENDANTS:
        parent = todo.pop()
        for child in _children(parent):
            seen += 1
            todo.append(child)
            with suppress(OSError):
                if os.getpgid(child) == group:
                    continue
                pidfd = os.pidfd_open(child)
                if child in _children(parent):
                    found.append(pidfd)
                else:
                    os.close(pidfd)
    return found


def _children(pid: int) -> list[int]:
    listed: list[int] = []
    # It may be gone, and not every kernel tells (CONFIG_PROC_CHILDREN).
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as children:
                listed += map(int, children.read().split())
    return listed


class Guard:
    """Keeps the deadlines; nothing here blocks but the wait for the next message or deadline."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._runs: dict[int, Run] = {}

    def serve(self) -> None:
        """Guard until procwrap says goodbye or is gone; nobody is left when this ends."""
        waiting = poll()
        waiting.register(self._channel, POLLIN)
        self._say(b"up")
        try:
            going = True
            while going:
                waiting.poll(self._nap(now()))
                going = self._listen()
                self._kill_due(now())
        finally:
            self._kill_due(float("inf"))

    def _nap(self, at: float) -> int | None:
        """Return the milliseconds until the next deadline; None when there is none."""
        deadlines = [run.deadline for run in self._runs.values() if run.armed]
        if not deadlines:
            return None
        return max(0, round(min(min(deadlines) - at, LONGEST_NAP) * 1000 + 0.5))

    def _listen(self) -> bool:
        """Take in all that was said; return False when nothing more will come."""
        while True:
            try:
                said, descriptors, _, _ = socket.recv_fds(self._channel, LONGEST_MESSAGE, 1)
            except BlockingIOError:
                return True
            except ConnectionError:
                return False
            if not said or said == b"bye":
                return False
            self._take(said.split(), descriptors[0] if descriptors else -1)

    def _take(self, words: list[bytes], pidfd: int) -> None:
        number = int(words[1])
        if words[0] == b"over":
            self._runs.pop(number, Run()).forget()
            return
        run = self._runs.setdefault(number, Run())
        if words[0] == b"begun":
            run.begin(int(words[2]), pidfd)
        else:
            run.deadline = float(words[2])
            self._say(b"kept %d" % number)

    def _kill_due(self, at: float) -> None:
        for number, run in self._runs.items():
            if run.armed and at >= run.deadline:
                run.kill()
                self._say(b"killed %d" % number)

    def _say(self, said: bytes) -> None:
        # Where it is stopped or gone, the next look at the socket tells.
        with suppress(OSError):
            self._channel.send(said)


def now() -> float:
    """Return seconds of a clock that goes on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _stand_apart() -> None:
    """Be ended by nobody's mistake, and have a turn on a machine that is busy, as far as that is allowed."""
    for name in _DEAF_TO:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.chdir("/")
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        score.write("-1000")


def main() -> None:
    """Be the guard."""
    channel = socket.socket(fileno=0)
    channel.setblocking(False)
    _stand_apart()
    Guard(channel).serve()


if __name__ == "__main__":
    main()
