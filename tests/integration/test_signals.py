"""Signals to procwrap as the host of several processes."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, alive, process, python
from tests.support.plans import SERVE, SLOW, STUBBORN
from tests.support.procfs import children_of, eventually

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]


def up(hosted: Hosted, *names: str) -> Hosted:
    """Wait until processes have said their first line."""
    hosted.until(lambda: all(hosted.lines(name) for name in names))
    return hosted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_graceful(tmp_path: Path, number: int) -> None:
    """Not ready at once, the readiness file gone at once, every last word written out, exit code 0."""
    plan = [process("db", SERVE), process("web", SLOW, dependsOn=["db"])]
    with Hosted(tmp_path, plan, http=True) as hosted:
        up(hosted.up(), "web", "db")
        assert hosted.get("/readiness")[0] == 200
        hosted.signal(number)
        hosted.until(lambda: "told" in hosted.lines("web"))
        assert not hosted.ready_file.exists()
        code, body = hosted.get("/readiness")
        assert (code, body["shutdown"], hosted.get("/liveness")[0]) == (503, True, 200)
        assert hosted.wait() == 0
        assert (hosted.lines("db"), hosted.lines("web")) == (["up", "bye"], ["up", "told", "bye"])
        assert hosted.said("^shutting down: " + signal.Signals(number).name)


def test_fast(tmp_path: Path) -> None:
    """SIGINT: SIGKILL to every group, no matter who depends on whom or ignores what; 130."""
    plan = [process("db", f"({STUBBORN}) & {STUBBORN}"), process("web", STUBBORN, dependsOn=["db"])]
    with Hosted(tmp_path, plan) as hosted:
        up(hosted, "web", "db")
        began = time.monotonic()
        assert hosted.end(signal.SIGINT) == 130
        assert time.monotonic() - began < 5
        assert len(hosted.said("ended by SIGKILL")) == 2
        assert not hosted.ready_file.exists()


def test_a_second_sigterm_kills(tmp_path: Path) -> None:
    """No more grace; it was a graceful shutdown all the same: exit code 0."""
    with Hosted(tmp_path, [process("a", STUBBORN), process("b", STUBBORN, dependsOn=["a"])]) as hosted:
        up(hosted, "a", "b")
        hosted.signal(signal.SIGTERM)
        hosted.until(lambda: hosted.said("^shutting down"))
        time.sleep(0.2)
        assert hosted.process.poll() is None
        began = time.monotonic()
        assert hosted.end() == 0
        assert time.monotonic() - began < 5
        assert len(hosted.said("ended by SIGKILL")) == 2


def test_sigint_after_sigterm_kills(tmp_path: Path) -> None:
    """Somebody at a terminal who does not want to wait gets what SIGINT gives."""
    with Hosted(tmp_path, [process("a", STUBBORN)]) as hosted:
        up(hosted, "a").signal(signal.SIGTERM)
        hosted.until(lambda: hosted.said("^shutting down"))
        assert hosted.end(signal.SIGINT) == 130


def test_the_first_sigterm_is_graceful_whatever_goes_on(tmp_path: Path) -> None:
    """When the end of the main process began the stop, SIGTERM takes nobody's grace away; the code stays."""
    plan = [process("main", "sleep 0.3; exit 3", main=True), process("slow", SLOW)]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: "told" in hosted.lines("slow"))
        assert hosted.end() == 3
        assert hosted.lines("slow") == ["up", "told", "bye"]


def test_ten_sigterms_in_a_row(tmp_path: Path) -> None:
    """As many as there may be: it ends, once, with 0."""
    with Hosted(tmp_path, [process("a", STUBBORN), process("b", SERVE)]) as hosted:
        up(hosted, "a", "b")
        for _ in range(10):
            hosted.signal(signal.SIGTERM)
            time.sleep(0.002)
        assert hosted.wait() == 0
        assert len(hosted.said("^shutting down")) == 1


@pytest.mark.parametrize("pause", [0.05, 0.15, 0.3])
def test_sigterm_during_the_start(tmp_path: Path, pause: float) -> None:
    """At whatever moment it comes: nothing is left behind, and if anything ran at all the exit code is 0."""
    plan = [process(f"p{number}", "exec sleep 600", stopTimeout="1s") for number in range(30)]
    plan.append(process("late", "echo late", dependsOn=["p0"]))
    with Hosted(tmp_path, plan) as hosted:
        time.sleep(pause)
        # Before it can listen at all, SIGTERM is simply its end.
        assert hosted.end() == (0 if hosted.records() else hosted.process.returncode)
        assert hosted.process.returncode in (0, -signal.SIGTERM)


def test_sigterm_while_waiting(tmp_path: Path) -> None:
    """During the pause before a restart, and while waiting for another: it ends at once and starts nobody."""
    plan = [
        process("failing", "exit 1", restartPolicy="always", restartBackoff={"initial": "30s"}),
        process("waiting", "echo ran", dependsOn=[{"name": "failing", "condition": "completed"}]),
    ]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: hosted.said("restarts in 30s"))
        began = time.monotonic()
        assert hosted.end() == 0
        assert time.monotonic() - began < 5
        assert (len(hosted.pids_of("failing")), hosted.lines("waiting")) == (1, [])


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as listening:
        yield listening.getsockname()[1]


def test_sigterm_during_a_probe(tmp_path: Path, silent: int) -> None:
    """Probes in flight hold nothing up and leave nothing behind: neither a command nor a connection."""
    mark = tmp_path / "mark"
    slow: dict[str, Any] = {
        "delay": "0s",
        "timeout": "20s",
        "exec": {"command": {"entrypoint": "/bin/sh", "args": ["-c", f"touch {mark}; sleep 600"]}},
    }
    plan = [
        process("exec", SERVE, readiness={key: slow[key] for key in ("delay", "exec")}),
        process("http", SERVE, liveness={"http": {"url": f"http://127.0.0.1:{silent}/"}}),
        process("tcp", SERVE, liveness={"tcp": {"socket": f"127.0.0.1:{silent}"}}),
    ]
    with Hosted(tmp_path, plan) as hosted:
        up(hosted, "exec", "http", "tcp")
        hosted.until(mark.exists)
        began = time.monotonic()
        assert hosted.end() == 0
        assert time.monotonic() - began < 5
        assert hosted.said("shutdown") == []


def states_told(hosted: Hosted, count: int) -> bool:
    """Return whether so many records about states have been written."""
    return len([1 for record in hosted.records() if "state" in record]) == count


def test_the_states_are_printed(tmp_path: Path) -> None:
    """One record for each process with its state, pid and restarts, also of those that do not run."""
    failing = process("b", "exit 3", restartPolicy="always", restartBackoff={"initial": "30s"})
    with Hosted(tmp_path, [process("a", SERVE), failing]) as hosted:
        up(hosted, "a")
        hosted.until(lambda: hosted.said("restarts in 30s"))
        for count, number in ((2, signal.SIGUSR1), (4, signal.SIGUSR2)):
            hosted.signal(number)
            told = partial(states_told, hosted, count)
            hosted.until(told)
        states = {record["process"]: record for record in hosted.records() if "state" in record}
        assert (states["a"]["state"], states["a"]["child"]) == ("running", str(hosted.pid_of("a")))
        assert (states["b"]["state"], states["b"]["msg"]) == ("backoff", "exit code 3")
        assert hosted.end() == 0


def test_sighup_kills_nobody(tmp_path: Path) -> None:
    """It reloads the config; where that is as before, everything goes on."""
    with Hosted(tmp_path, [process("a", SERVE)]) as hosted:
        up(hosted, "a").signal(signal.SIGHUP)
        hosted.until(lambda: hosted.said("reloaded: "))
        assert alive(hosted.pid_of("a"))
        assert hosted.end() == 0
        assert hosted.lines("a") == ["up", "bye"]


def test_a_burst_loses_no_signal(tmp_path: Path) -> None:
    """HUP, USR1, TERM right after one another: all three are answered.

    In which order, the kernel does not tell of signals that were pending together.
    """
    with Hosted(tmp_path, [process("a", SERVE)], options=("-debug",)) as hosted:
        up(hosted, "a")
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM):
            hosted.signal(number)
        assert hosted.wait() == 0
        assert sorted(hosted.said("^received")) == ["received SIGHUP", "received SIGTERM", "received SIGUSR1"]


def test_signals_that_nobody_asked_about_do_no_harm(tmp_path: Path) -> None:
    """SIGCHLD without a child, SIGWINCH, SIGCONT, SIGPIPE: nothing happens."""
    with Hosted(tmp_path, [process("a", SERVE)]) as hosted:
        up(hosted, "a")
        for number in (signal.SIGCHLD, signal.SIGWINCH, signal.SIGCONT, signal.SIGPIPE, signal.SIGURG):
            hosted.signal(number)
        time.sleep(0.1)
        assert hosted.end() == 0
        assert hosted.lines("a") == ["up", "bye"]


def test_a_storm_of_dying_children_drowns_no_signal(tmp_path: Path) -> None:
    """While hundreds of processes a second end and are restarted, USR1 and TERM get their answer."""
    quick = {"restartPolicy": "always", "restartBackoff": {"initial": "10ms", "max": "10ms"}}
    plan = [process(f"p{number}", "exit 0", **quick) for number in range(20)]
    with Hosted(tmp_path, [*plan, process("a", SERVE)]) as hosted:
        hosted.until(lambda: len(hosted.pids_of("p0")) > 5)
        hosted.signal(signal.SIGUSR1)
        hosted.until(
            lambda: hosted.said("^running") or [1 for record in hosted.records() if "state" in record]
        )
        began = time.monotonic()
        assert hosted.end() == 0
        assert time.monotonic() - began < 10


def test_a_stopped_procwrap_catches_up(tmp_path: Path) -> None:
    """What happened while it was suspended, as a frozen container is, is handled when it goes on."""
    code = """
import signal, sys
wanted = {signal.SIGUSR1}
signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
print("up", flush=True)
signal.sigwait(wanted)
sys.exit(5)
"""
    with Hosted(tmp_path, [process("a", SERVE), python("b", code)]) as hosted:
        up(hosted, "a", "b")
        hosted.signal(signal.SIGSTOP)
        os.kill(hosted.pid_of("b"), signal.SIGUSR1)
        eventually(lambda: not alive(hosted.pid_of("b")))
        hosted.signal(signal.SIGHUP)
        hosted.signal(signal.SIGCONT)
        hosted.until(lambda: hosted.said("reloaded: ") and hosted.said("exit code"))
        eventually(lambda: children_of(hosted.process.pid) == [hosted.pid_of("a")])
        assert hosted.end() == 0
