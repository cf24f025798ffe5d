"""How a process is stopped, and what becomes of what it leaves behind; real processes."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.support.hosted import Hosted, alive, process
from tests.support.plans import SERVE, STUBBORN, restarted, serving
from tests.support.procfs import eventually, group_left, kill, signal_group

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]


def test_the_stop_signal_is_the_one_asked_for(tmp_path: Path) -> None:
    """And nothing else arrives."""
    script = 'for s in TERM INT QUIT USR1 USR2; do trap "echo $s; exit 0" $s; done; sleep 600 & echo up; wait'
    plan = [process(name, script, stopSignal=name) for name in ("SIGINT", "QUIT", "SIGUSR2", "SIGTERM")]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: all(hosted.lines(item["name"]) for item in plan))
        assert hosted.end() == 0
        seen = {item["name"]: hosted.lines(item["name"])[1:] for item in plan}
        assert seen == {"SIGINT": ["INT"], "QUIT": ["QUIT"], "SIGUSR2": ["USR2"], "SIGTERM": ["TERM"]}


def test_what_is_asked_to_stop_by_a_signal_and_ends_by_it_is_fine(tmp_path: Path) -> None:
    """143 after our SIGTERM is no failure."""
    with Hosted(tmp_path, [process("a", "echo up; exec sleep 600")]) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        assert hosted.end() == 0
        (end,) = [record for record in hosted.records() if record["msg"] == "ended by SIGTERM"]
        assert (end["level"], end["exit_code"]) == ("info", "143")


def test_a_stopped_process_is_stopped_all_the_same(tmp_path: Path) -> None:
    """SIGSTOP, as a debugger or job control sends it, does not make it wait for SIGKILL."""
    with Hosted(tmp_path, [process("a", SERVE)]) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        signal_group(hosted.pid_of("a"), signal.SIGSTOP)
        assert hosted.end() == 0
        assert hosted.lines("a") == ["up", "bye"]


def test_after_the_timeout_the_whole_group_is_killed(tmp_path: Path) -> None:
    """A process and a grandchild that both ignore SIGTERM: SIGKILL after ``stopTimeout``, not before."""
    script = f"({STUBBORN}) & {STUBBORN}"
    with Hosted(tmp_path, [process("a", script, stopTimeout="400ms")]) as hosted:
        hosted.until(lambda: hosted.lines("a") == ["up", "up"])
        group = hosted.pid_of("a")
        began = time.monotonic()
        assert hosted.end() == 0
        assert time.monotonic() - began >= 0.4
        assert hosted.said("did not end within 0.4s: SIGKILL")
        assert hosted.said("ended by SIGKILL")
        assert not group_left(group)


def test_no_time_at_all_to_stop(tmp_path: Path) -> None:
    """``stopTimeout: 0s`` is SIGKILL right after the stop signal."""
    with Hosted(tmp_path, [process("a", STUBBORN, stopTimeout="0s")]) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        assert hosted.end() == 0
        assert hosted.said("ended by SIGKILL")


def test_a_restart_under_way_becomes_a_stop(tmp_path: Path) -> None:
    """SIGTERM while a process that has failed its probes is being stopped: it is not started again."""
    missing = str(tmp_path / "missing")
    slow = serving("echo told; sleep 0.5; exit 1")
    liveness = {"period": "20ms", "failureThreshold": 1, "file": {"path": missing}, "delay": "300ms"}
    with Hosted(tmp_path, [restarted("a", slow, liveness=liveness)]) as hosted:
        hosted.until(lambda: "told" in hosted.lines("a"))
        assert hosted.end() == 0
        assert hosted.lines("a") == ["up", "told"]
        assert hosted.said("^restarts") == []


def test_the_graceful_deadline_is_the_default_timeout(tmp_path: Path) -> None:
    """``--graceful-shutdown-deadline`` says how long a stop may take where the process does not."""
    options = ("-graceful-shutdown-deadline=300ms",)
    with Hosted(tmp_path, [process("a", STUBBORN)], options) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        began = time.monotonic()
        assert hosted.end() == 0
        assert 0.3 <= time.monotonic() - began < 5


def test_a_shutdown_leaves_no_grandchild(tmp_path: Path) -> None:
    """A process that ends well while its grandchild ignores SIGTERM: that one gets SIGKILL 2 s later."""
    script = f"({STUBBORN}) & trap 'exit 0' TERM; echo up; wait"
    with Hosted(tmp_path, [process("a", script)]) as hosted:
        hosted.until(lambda: hosted.lines("a") == ["up", "up"])
        group = hosted.pid_of("a")
        assert hosted.end() == 0
        assert not group_left(group)


def test_what_a_process_leaves_in_its_group_is_ended(tmp_path: Path) -> None:
    """While the rest goes on: SIGTERM after 2 s, which one can listen to, SIGKILL 2 s later."""
    polite = f"({SERVE}) & sleep 0.3"
    stubborn = f"({STUBBORN}) & sleep 0.3"
    plan = [process("polite", polite), process("stubborn", stubborn), process("c", SERVE)]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: hosted.lines("polite") and hosted.lines("stubborn"))
        groups = [hosted.pid_of("polite"), hosted.pid_of("stubborn")]
        hosted.until(lambda: len(hosted.said("exit code 0")) == 2)
        assert all(map(group_left, groups))
        hosted.until(lambda: not group_left(groups[0]))
        assert group_left(groups[1])
        hosted.until(lambda: not group_left(groups[1]))
        assert hosted.end() == 0
        assert hosted.lines("c") == ["up", "bye"]


def test_a_daemon_that_keeps_the_pipe_holds_nobody_up(tmp_path: Path) -> None:
    """The process counts as gone and is restarted; what the daemon writes within 2 s still comes out."""
    daemon = "setsid sh -c 'echo \"daemon $$\"; sleep 0.6; echo late; exec sleep 600' &"
    plan = [restarted("a", f"{daemon} sleep 0.2; printf mine >&2; exit 1"), process("b", SERVE)]
    with Hosted(tmp_path, plan) as hosted:
        try:
            hosted.until(lambda: len(hosted.pids_of("a")) >= 3)
            hosted.until(lambda: "mine" in hosted.lines("a") and "late" in hosted.lines("a"))
            began = time.monotonic()
            assert hosted.end() == 0
            assert time.monotonic() - began < 10
            assert hosted.lines("b") == ["up", "bye"]
        finally:
            kill(*(int(line.split()[1]) for line in hosted.lines("a") if line.startswith("daemon")))


def test_the_pipe_of_a_daemon_is_closed_after_two_seconds(tmp_path: Path) -> None:
    """Not earlier and not never: what would hold a descriptor for each restart is let go."""
    daemon = "setsid sh -c 'echo \"daemon $$\"; while sleep 0.1; do echo still; done' &"
    with Hosted(tmp_path, [process("a", f"{daemon} sleep 0.2"), process("b", SERVE)]) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        pid = int(hosted.lines("a")[0].split()[1])
        # It dies of SIGPIPE when nobody reads any more.
        eventually(lambda: not alive(pid), 10)
        assert len(hosted.lines("a")) >= 12
        assert hosted.end() == 0


def test_a_process_that_closes_its_output_lives_on(tmp_path: Path) -> None:
    """The end of its output is not its end, and its stop signal still reaches it."""
    mark = tmp_path / "mark"
    script = f"exec >&- 2>&-; trap 'touch {mark}.told; exit 7' TERM; touch {mark}; sleep 600 & wait"
    with Hosted(tmp_path, [restarted("a", script)]) as hosted:
        hosted.until(lambda: mark.exists() and hosted.pids_of("a"))
        time.sleep(0.3)
        assert len(hosted.pids_of("a")) == 1
        assert hosted.said("exit code") == []
        assert hosted.end() == 0
        assert Path(f"{mark}.told").exists()
        assert hosted.said("exit code 7")
