"""The guard, with real processes: it kills in time, and nobody else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from procwrap.lock.guard import now
from procwrap.locking import GUARD
from tests.support.hosted import alive
from tests.support.procfs import children_of, eventually, status

pytestmark = [pytest.mark.integration]

PATIENCE = 10.0


class Guard:
    """A guard in the hands of a test."""

    def __init__(self) -> None:
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel.settimeout(PATIENCE)
        command = [sys.executable, "-I", "-S", str(GUARD)]
        self.process = subprocess.Popen(
            command, stdin=theirs, stderr=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()
        self.children: list[subprocess.Popen[bytes]] = []
        assert self.channel.recv(100) == b"up"

    def begin(self, run: int, script: str = "sleep 60") -> int:
        """Start a process and let the guard know it; return its pid."""
        child = subprocess.Popen(["/bin/sh", "-c", script], process_group=0)
        self.children.append(child)
        pidfd = os.pidfd_open(child.pid)
        socket.send_fds(self.channel, [f"begun {run} {child.pid}".encode()], [pidfd])
        os.close(pidfd)
        return child.pid

    def keep(self, run: int, seconds: float) -> float:
        """Let a run go on for so long; return until when."""
        deadline = now() + seconds
        self.say(f"keep {run} {deadline!r}")
        assert self.channel.recv(100) == f"kept {run}".encode()
        return deadline

    def say(self, text: str) -> None:
        self.channel.send(text.encode())

    def end_of(self, pid: int) -> int:
        """Wait for the end of a process; return its code."""
        return next(child for child in self.children if child.pid == pid).wait(PATIENCE)


@pytest.fixture
def guard() -> Iterator[Guard]:
    """A guard, of which nothing is left afterwards."""
    made = Guard()
    yield made
    made.channel.close()
    made.process.kill()
    made.process.wait()
    for child in made.children:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def test_what_is_not_renewed_is_killed(guard: Guard) -> None:
    """Not before its deadline, and right after it; the guard says so."""
    guard.keep(1, 60.0)
    pid = guard.begin(1)
    deadline = guard.keep(1, 0.3)
    assert guard.end_of(pid) == -signal.SIGKILL
    assert deadline <= now() < deadline + 1.0
    assert guard.channel.recv(100) == b"killed 1"


def test_what_is_renewed_lives(guard: Guard) -> None:
    """Each renewal moves the deadline of its run only."""
    guard.keep(1, 1.0)
    guard.keep(2, 0.3)
    kept, dropped = guard.begin(1), guard.begin(2)
    for _ in range(10):
        guard.keep(1, 2.0)
        time.sleep(0.02)
    assert guard.end_of(dropped) == -signal.SIGKILL
    assert alive(kept)


def test_the_whole_group_is_killed(guard: Guard) -> None:
    """Also what it has started in the background."""
    guard.keep(1, 60.0)
    pid = guard.begin(1, "sleep 60 & sleep 60 & wait")
    members = eventually(lambda: (found := children_of(pid)) and len(found) == 2 and found)
    guard.keep(1, 0.0)
    guard.end_of(pid)
    eventually(lambda: not any(map(alive, members)))


def test_who_has_left_the_group_is_killed_too(guard: Guard) -> None:
    """As long as its parents live: ``timeout`` and job control make groups of their own."""
    guard.keep(1, 60.0)
    pid = guard.begin(1, "timeout 60 sleep 60; true")
    (strayed,) = eventually(lambda: children_of(pid))
    (below,) = eventually(lambda: children_of(strayed))
    eventually(lambda: os.getpgid(strayed) != pid)
    guard.keep(1, 0.0)
    guard.end_of(pid)
    eventually(lambda: not alive(strayed) and not alive(below))


def test_when_procwrap_dies_everything_is_killed_at_once(guard: Guard) -> None:
    """However long the lock would have lasted; and the guard ends as well."""
    guard.keep(1, 60.0)
    pid = guard.begin(1)
    guard.channel.close()
    assert guard.end_of(pid) == -signal.SIGKILL
    assert guard.process.wait(PATIENCE) == 0


def test_goodbye(guard: Guard) -> None:
    """It ends; what is over by then is not its business any more."""
    guard.keep(1, 60.0)
    pid = guard.begin(1)
    guard.say("over 1")
    guard.say("bye")
    assert guard.process.wait(PATIENCE) == 0
    assert alive(pid)


def test_what_is_over_is_never_killed(guard: Guard) -> None:
    """Whoever has the pid now."""
    guard.keep(1, 0.2)
    pid = guard.begin(1)
    guard.say("over 1")
    time.sleep(0.4)
    guard.keep(2, 60.0)
    assert alive(pid)


def test_what_has_no_time_is_killed_at_once(guard: Guard) -> None:
    """A process that begins after its deadline, or without one, does not go on."""
    guard.keep(1, 0.0)
    assert guard.end_of(guard.begin(1)) == -signal.SIGKILL
    assert guard.end_of(guard.begin(2)) == -signal.SIGKILL


def test_what_makes_no_sense_ends_it_with_everything(guard: Guard) -> None:
    """A guard that does not understand is none: nothing goes on without one."""
    guard.keep(1, 60.0)
    pid = guard.begin(1)
    guard.say("keep 1 for ever")
    assert guard.end_of(pid) == -signal.SIGKILL
    assert guard.process.wait(PATIENCE) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_signals_for_everybody_do_not_end_it(guard: Guard, number: int) -> None:
    """``--shutdown-kill-all`` of a neighbour, or a shell that goes, must not end what is guarded."""
    guard.process.send_signal(number)
    guard.keep(1, 60.0)
    assert guard.process.poll() is None


def test_its_size(guard: Guard) -> None:
    """A few megabytes, and next to no CPU time for a thousand renewals."""
    before = _cpu(guard.process.pid)
    for _ in range(1000):
        guard.keep(1, 60.0)
    spent = _cpu(guard.process.pid) - before
    resident = int(status(guard.process.pid)["VmRSS"].split()[0])
    assert resident < 20 * 1024
    assert spent < 1.0


def _cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        words = stat.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
