from __future__ import annotations

import os
import subprocess
import sys

import pytest

from procwrap.children.senders import belongs

SLEEP = [sys.executable, "-c", "import sys; sys.stdin.read()"]
STRANGER = 54321
"""A user that is neither root nor us."""


@pytest.fixture
def process() -> subprocess.Popen[bytes]:
    """A process that leads a group, until the end of the test."""
    with subprocess.Popen(SLEEP, stdin=subprocess.PIPE, process_group=0) as started:
        yield started
        started.kill()


def gone() -> int:
    """The pid of a process that was there a moment ago."""
    with subprocess.Popen([sys.executable, "-c", ""]) as started:
        return started.pid


def test_the_process_itself(process: subprocess.Popen[bytes]) -> None:
    """It speaks for itself, whoever its user is."""
    assert belongs(process.pid, STRANGER, process.pid)


def test_one_of_its_group(process: subprocess.Popen[bytes]) -> None:
    """As do those in its group, whoever started them."""
    with subprocess.Popen(SLEEP, stdin=subprocess.PIPE, process_group=process.pid) as other:
        assert belongs(other.pid, STRANGER, process.pid)


def test_a_descendant_elsewhere() -> None:
    """And its descendants, also in a session of their own."""
    inner = "import os, sys; os.setsid(); print(os.getpid(), flush=True); sys.stdin.read()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    command = [sys.executable, "-c", outer]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, process_group=0, **pipes) as started:
        assert started.stdout is not None
        far = int(started.stdout.readline())
        assert os.getpgid(far) == far
        assert belongs(far, STRANGER, started.pid)


def test_strangers(process: subprocess.Popen[bytes]) -> None:
    """Nobody else does: neither procwrap, nor its other children, nor PID 1, nor those that we cannot see."""
    with subprocess.Popen(SLEEP, stdin=subprocess.PIPE, process_group=0) as other:
        for pid in (os.getpid(), other.pid, 1, 0, -1):
            assert not belongs(pid, os.geteuid(), process.pid), pid


def test_one_that_is_gone(process: subprocess.Popen[bytes]) -> None:
    """It is believed if it had the process's user, ours or root's."""
    assert belongs(gone(), os.geteuid(), process.pid)
    assert belongs(gone(), os.stat(f"/proc/{process.pid}").st_uid, process.pid)
    assert belongs(gone(), 0, process.pid)
    assert not belongs(gone(), STRANGER, process.pid)
