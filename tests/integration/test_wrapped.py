"""``procwrap -- command``: nothing between the command and the world but the duties of an init."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from procwrap.children.signalpipe import WRAPPER
from tests.support.hosted import Hosted, alive
from tests.support.plans import SERVE, STUBBORN, serving
from tests.support.procfs import children_of, eventually, kill

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

LISTENER = """
import os, signal, sys
log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK)
signal.set_wakeup_fd(log)
for name in sys.argv[2].split(","):
    signal.signal(int(name), lambda *_: None)
print("up", flush=True)
while True:
    signal.pause()
"""
"""Writes the number of each signal to a file at the moment of its arrival."""

DEAF = """
import signal
# Blocked, it waits until it is asked for: none comes between two looks, as with pause(2).
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("up", flush=True)
while True:
    signal.sigwait({signal.SIGTERM})
    print("told", flush=True)
"""
"""Hears SIGTERM and goes on."""

ON_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Executes a command as a shell with a controlling terminal would."""


def wrapped(home: Path, *command: str, options: Sequence[str] = (), **settings: Any) -> Hosted:
    """Wrap a command."""
    return Hosted(home, None, [*options, "--", *command], **settings)


def shell(home: Path, script: str, options: Sequence[str] = (), **settings: Any) -> Hosted:
    """Wrap a shell script."""
    return wrapped(home, "/bin/sh", "-c", script, options=options, **settings)


def out(hosted: Hosted) -> list[str]:
    """Return the lines on stdout."""
    return hosted.out.read_text().splitlines()


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)])
def test_the_exit_code_is_the_command_s(tmp_path: Path, script: str, code: int) -> None:
    """128 + N for a signal; and procwrap itself has nothing to say."""
    with shell(tmp_path, script) as hosted:
        assert hosted.wait() == code
    assert (hosted.out.read_bytes(), hosted.err.read_bytes()) == (b"", b"")


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [
        ("/no/such/program", 127, "no such file"),
        ("/etc/passwd", 126, "permission denied"),
    ],
)
def test_a_command_that_cannot_be_executed(tmp_path: Path, command: str, code: int, why: str) -> None:
    """The codes of a shell, and a line on stderr with the path and the reason."""
    with wrapped(tmp_path, command) as hosted:
        assert hosted.wait() == code
    assert hosted.out.read_bytes() == b""
    first, *_ = hosted.err.read_text().splitlines()
    assert f"cannot execute {command}: {why}" in first


def test_ten_megabytes_go_through_unchanged(tmp_path: Path) -> None:
    """Both ends are the command's: every byte, and nothing but its bytes."""
    data = random.Random(7).randbytes(10_000_000)
    source = tmp_path / "source"
    source.write_bytes(data)
    with open(source, "rb") as stdin, wrapped(tmp_path, "cat", stdin=stdin) as hosted:
        assert hosted.wait() == 0
    assert hashlib.sha256(hosted.out.read_bytes()).digest() == hashlib.sha256(data).digest()
    assert hosted.err.read_bytes() == b""


def test_it_works_in_a_pipeline(tmp_path: Path) -> None:
    """A pipe on both sides: the end of the input reaches the command, the end of the command the reader."""
    with wrapped(tmp_path, "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as hosted:
        found, _ = hosted.process.communicate(b"a\0b\n" * 100_000, timeout=30)
    assert (found, hosted.process.returncode) == (b"a\0b\n" * 100_000, 0)


def test_the_descriptors_are_the_very_same(tmp_path: Path) -> None:
    """No pipe of ours in between, their flags untouched, and no descriptor of ours besides."""
    source = tmp_path / "source"
    source.touch()
    code = """
import fcntl, os
for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
    try:
        flags = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK
        print(fd, os.readlink(f"/proc/self/fd/{fd}"), flags, flush=True)
    except OSError:
        pass  # that of the listing itself
"""
    with open(source, "rb") as stdin, wrapped(tmp_path, sys.executable, "-c", code, stdin=stdin) as hosted:
        assert hosted.wait() == 0
    assert out(hosted) == [f"0 {source} 0", f"1 {hosted.out} 0", f"2 {hosted.err} 0"]


@pytest.mark.parametrize("closed", ["1>&-", "0<&- 1>&- 2>&-"])
def test_closed_descriptors(tmp_path: Path, closed: str) -> None:
    """A parent that closes some of the three does no harm: the exit code still arrives."""
    prefix = ("sh", "-c", f'exec "$@" {closed}', "sh")
    with shell(tmp_path, f"touch {tmp_path}/ran; exit 7", prefix=prefix) as hosted:
        assert hosted.wait() == 7
    assert (tmp_path / "ran").exists()


CATCHABLE = sorted(WRAPPER - {signal.SIGCHLD})


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Hosted]:
    """A wrapped command that notes every signal that can be caught."""
    numbers = ",".join(str(int(number)) for number in CATCHABLE)
    with wrapped(tmp_path, sys.executable, "-c", LISTENER, str(tmp_path / "seen"), numbers) as hosted:
        hosted.until(lambda: out(hosted) == ["up"])
        yield hosted
        kill(*children_of(hosted.process.pid))


def seen(hosted: Hosted) -> list[int]:
    """Return the numbers of the signals that the command got, in the order of their arrival."""
    return list((hosted.home / "seen").read_bytes())


def until_seen(hosted: Hosted, count: int) -> None:
    """Wait until the command has got so many signals."""
    hosted.until(lambda: len(seen(hosted)) >= count)


def test_every_signal_is_passed_on_in_order(listener: Hosted) -> None:
    """TERM, INT, QUIT, HUP, USR1, USR2, the job-control and the real-time ones: all that can be caught."""
    assert {
        *(signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2),
        *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCONT, signal.SIGWINCH, signal.SIGALRM),
        *(signal.SIGRTMIN, signal.SIGRTMAX),
    } <= set(CATCHABLE)
    order = random.Random(11).sample(CATCHABLE, len(CATCHABLE))
    for count, number in enumerate(order, start=1):
        listener.signal(number)
        until_seen(listener, count)
    assert seen(listener) == order


def test_a_burst_loses_none(listener: Hosted) -> None:
    """Five different ones within a millisecond, twenty times over."""
    burst = [signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGUSR2, signal.SIGINT]
    for _ in range(20):
        before = len(seen(listener))
        for number in burst:
            listener.signal(number)
        until_seen(listener, before + len(burst))
        assert sorted(seen(listener)[before:]) == sorted(burst)


def test_real_time_signals_are_counted(listener: Hosted) -> None:
    """The kernel queues them, and so many arrive."""
    for _ in range(50):
        listener.signal(signal.SIGRTMIN + 3)
    until_seen(listener, 50)
    assert seen(listener) == [signal.SIGRTMIN + 3] * 50


def test_signals_reach_the_whole_group(tmp_path: Path) -> None:
    """A shell and what it runs, as if they had been typed at."""
    child = f"({serving('echo child; exit', 'USR1')}) &"
    with shell(tmp_path, f"{child} {serving('echo shell; exit 4', 'USR1')}") as hosted:
        hosted.until(lambda: out(hosted) == ["up", "up"])
        hosted.signal(signal.SIGUSR1)
        assert hosted.wait() == 4
        assert sorted(out(hosted)[2:4]) == ["child", "shell"]


def test_signals_during_the_start_are_not_lost(tmp_path: Path) -> None:
    """From the moment procwrap can listen: whatever comes before the command runs is passed on to it."""
    for pause in (0.1, 0.25):
        home = tmp_path / str(pause)
        home.mkdir()
        with shell(home, "exec sleep 600") as hosted:
            time.sleep(pause)
            hosted.signal(signal.SIGTERM)
            # Before it can listen at all, SIGTERM is its own end.
            assert hosted.wait() in (143, -signal.SIGTERM)


def test_there_is_no_deadline_of_our_own(tmp_path: Path) -> None:
    """A command that ignores SIGTERM is left alone; its orchestrator will know when to kill it."""
    with wrapped(tmp_path, sys.executable, "-c", DEAF) as hosted:
        hosted.until(lambda: out(hosted) == ["up"])
        for count in range(1, 4):
            hosted.signal(signal.SIGTERM)
            time.sleep(0.3)
            # The next one only then: the kernel makes one of two that wait.
            hosted.until(lambda heard=count: out(hosted)[1:] == ["told"] * heard)
        kill(*children_of(hosted.process.pid))
        assert hosted.wait() == 137


def test_a_deadline_that_is_asked_for(tmp_path: Path) -> None:
    """``--graceful-shutdown-deadline``: SIGKILL so much later, for the whole group."""
    options = ("--graceful-shutdown-deadline", "500ms")
    script = f"({STUBBORN}) & {STUBBORN}"
    with shell(tmp_path, script, options) as hosted:
        hosted.until(lambda: out(hosted) == ["up", "up"])
        began = time.monotonic()
        assert hosted.end() == 137
        assert 0.5 <= time.monotonic() - began < 10


def test_what_the_command_leaves_is_ended(tmp_path: Path) -> None:
    """SIGTERM when the command has ended, SIGKILL 2 s later; the command's exit code stays."""
    polite = f"({SERVE}) &"
    stubborn = f"({STUBBORN}) &"
    with shell(tmp_path, f"{polite} {stubborn} sleep 0.5; exit 3") as hosted:
        hosted.until(lambda: out(hosted) == ["up", "up"])
        began = time.monotonic()
        assert hosted.wait() == 3
        assert time.monotonic() - began >= 2
        assert out(hosted) == ["up", "up", "bye"]


def test_no_reap_group_leaves_it(tmp_path: Path) -> None:
    """What the command has left in the background goes on, and nobody waits for it."""
    script = f"({serving('echo told')}) & echo $!; sleep 0.5; exit 3"
    with shell(tmp_path, script, ("--no-reap-group",)) as hosted:
        assert hosted.wait() == 3
        left = next(int(line) for line in out(hosted) if line.isdigit())
        try:
            time.sleep(0.2)
            assert alive(left)
            assert "told" not in out(hosted)
        finally:
            kill(*children_of(left), left)


def test_a_daemon_of_the_command_is_left_alone(tmp_path: Path) -> None:
    """Who has left the group, by setsid, is nobody's leftover."""
    with shell(tmp_path, "setsid sh -c 'echo $$; exec sleep 600' & sleep 0.3") as hosted:
        assert hosted.wait() == 0
        daemon = int(out(hosted)[0])
        assert alive(daemon)
        kill(daemon)


def test_no_http_unless_asked_for(tmp_path: Path) -> None:
    """No socket at all by default."""
    with shell(tmp_path, "echo up; exec sleep 600") as hosted:
        hosted.until(lambda: out(hosted) == ["up"])
        time.sleep(0.2)
        links = [os.readlink(link) for link in Path(f"/proc/{hosted.process.pid}/fd").iterdir()]
        assert [link for link in links if link.startswith("socket:")] == []
        assert hosted.end() == 143


def test_http_with_a_socket(tmp_path: Path) -> None:
    """HEALTH_SOCKET turns it on: ready while the command runs, not ready from SIGTERM on."""
    script = serving("echo told; sleep 1; exit 0")
    with shell(tmp_path, script, http=True) as hosted:
        hosted.until(lambda: "up" in out(hosted))
        # The command runs before HTTP is served.
        eventually(lambda: answers(hosted))
        assert hosted.get("/readiness?wait=10s")[0] == 200
        assert hosted.get("/status")[1] == {"sh": True}
        hosted.signal(signal.SIGTERM)
        hosted.until(lambda: "told" in out(hosted))
        assert hosted.get("/readiness")[0] == 503
        assert hosted.wait() == 0


def answers(hosted: Hosted) -> bool:
    """Return whether HTTP is served."""
    try:
        return hosted.get("/ping")[0] == 200
    except OSError:
        return False


class Terminal:
    """A terminal with procwrap on it, and somebody who types."""

    def __init__(self, home: Path, *command: str) -> None:
        self.ours, theirs = os.openpty()
        self.screen = b""
        prefix = (sys.executable, "-c", ON_TERMINAL)
        self.hosted = wrapped(home, *command, prefix=prefix, stdin=theirs, stdout=theirs)
        os.close(theirs)

    def type(self, text: bytes) -> None:
        """Type something."""
        os.write(self.ours, text)

    def until(self, text: bytes) -> None:
        """Read on until something is on the screen."""
        deadline = time.monotonic() + 30
        while text not in self.screen:
            assert time.monotonic() < deadline, self.screen
            try:
                self.screen += os.read(self.ours, 65536)
            except OSError:
                break
        assert text in self.screen, self.screen


def test_the_command_gets_the_terminal(tmp_path: Path) -> None:
    """Its group is the foreground group, what is typed reaches it, and Ctrl-C is its SIGINT, not ours."""
    code = """
import os, signal, sys
print("foreground", os.tcgetpgrp(0) == os.getpgrp(), sys.stdin.isatty(), sys.stdout.isatty(), flush=True)
print("read", sys.stdin.readline().strip(), flush=True)
signal.signal(signal.SIGINT, lambda *_: (os.write(1, b"interrupted\\n"), os._exit(9)))
print("ready", flush=True)
signal.pause()
"""
    terminal = Terminal(tmp_path, sys.executable, "-c", code)
    with terminal.hosted as hosted:
        terminal.until(b"foreground True True True")
        terminal.type(b"hello\n")
        terminal.until(b"read hello")
        terminal.until(b"ready")
        terminal.type(b"\x03")
        terminal.until(b"interrupted")
        assert hosted.wait() == 9
    os.close(terminal.ours)
    assert hosted.err.read_bytes() == b""


def test_a_command_on_a_terminal_that_dies_of_ctrl_c(tmp_path: Path) -> None:
    """As in a shell: 130."""
    terminal = Terminal(tmp_path, "/bin/sh", "-c", "echo up; exec sleep 600")
    with terminal.hosted as hosted:
        terminal.until(b"up")
        terminal.type(b"\x03")
        assert hosted.wait() == 130
    os.close(terminal.ours)
