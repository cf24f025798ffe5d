"""Startup, readiness and liveness together, in a procwrap that runs real processes."""

from __future__ import annotations

import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, alive, process
from tests.support.plans import needs_root
from tests.support.procfs import eventually
from tests.support.silent import SilentListeners

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

NOBODY = 65534


def file(path: Path, **check: Any) -> dict[str, Any]:
    """A check that often looks whether a file exists."""
    return {"delay": "0s", "period": "100ms", **check, "file": {"path": str(path)}}


def shell(script: str, *, timeout: str = "5s", **check: Any) -> dict[str, Any]:
    """A check that often runs a shell script."""
    command = {"entrypoint": "sh", "args": ["-c", script]}
    return {"delay": "0s", "period": "100ms", **check, "exec": {"command": command, "timeout": timeout}}


def rounds(hosted: Hosted, name: str, check: str) -> list[str]:
    """How far a check had come at its failed rounds, such as ``2/3``; empty where they don't count."""
    return [
        record.get("failures", "")
        for record in hosted.records()
        if record["name"] == "procwrap" and record.get("process") == name and record.get("check") == check
        if record["msg"] != "recovered"
    ]


def test_the_others_wait_for_startup(tmp_path: Path) -> None:
    """Until startup has succeeded nobody asks whether it lives; failures before that are startup's own."""
    up, looks = tmp_path / "up", tmp_path / "looks"
    checks = {
        "startup": file(up, failureThreshold=100),
        "liveness": shell(f"test -e {up} && echo x >> {looks}", failureThreshold=1),
        "readiness": file(up, failureThreshold=1),
    }
    with Hosted(tmp_path, [process("api", "exec sleep 600", **checks)]) as hosted:
        hosted.until(lambda: "4/100" in rounds(hosted, "api", "startup"))
        assert not hosted.ready_file.exists()
        up.touch()
        hosted.up()
        hosted.until(looks.exists)
        assert rounds(hosted, "api", "liveness") == rounds(hosted, "api", "readiness") == []
        assert len(hosted.pids_of("api")) == 1
        assert hosted.end() == 0


@pytest.mark.parametrize("check", ["startup", "liveness", "readiness"])
def test_the_threshold_restarts(tmp_path: Path, check: str) -> None:
    """The third failed round in a row kills the process, whatever the check; the next run begins at one."""
    settings = {check: file(tmp_path / "never", failureThreshold=3)}
    backoff = {"restartPolicy": "always", "restartBackoff": {"initial": "10ms"}}
    with Hosted(tmp_path, [process("api", "exec sleep 600", **settings, **backoff)]) as hosted:
        hosted.until(lambda: len(hosted.pids_of("api")) >= 2)
        hosted.until(lambda: len(rounds(hosted, "api", check)) >= 4)
        assert rounds(hosted, "api", check)[:4] == ["1/3", "2/3", "3/3", "1/3"]
        assert hosted.said(f"{check} failed 3 times in a row: file .*: no such file or directory")
        assert not alive(hosted.pids_of("api")[0])
        assert hosted.end() == 0


def test_liveness_says_nothing_about_readiness(tmp_path: Path) -> None:
    """While liveness fails, and has not reached its threshold, the process stays ready."""
    lives = tmp_path / "lives"
    lives.touch()
    checks = {"liveness": file(lives, failureThreshold=3000), "readiness": file(tmp_path)}
    with Hosted(tmp_path, [process("api", "exec sleep 600", **checks)], http=True) as hosted:
        hosted.up()
        lives.unlink()
        hosted.until(lambda: "3/3000" in rounds(hosted, "api", "liveness"))
        assert hosted.get("/readiness")[0] == 200
        lives.touch()
        hosted.until(lambda: hosted.said("^recovered$"))
        assert len(hosted.pids_of("api")) == 1


def test_a_process_that_is_left_alone(tmp_path: Path) -> None:
    """With ``restartOnFailure: false`` it runs on, unhealthy; with ``startupDeadline`` it has its time."""
    good = tmp_path / "good"
    plan = [
        process("left", "exec sleep 600", readiness=file(good, failureThreshold=2, restartOnFailure=False)),
        process("slow", "exec sleep 600", readiness=file(good, failureThreshold=1, startupDeadline="60s")),
    ]
    with Hosted(tmp_path, plan, ["--debug"], http=True) as hosted:
        hosted.until(lambda: "5/2" in rounds(hosted, "left", "readiness"))
        hosted.until(lambda: rounds(hosted, "slow", "readiness")[:4] == [""] * 4)
        assert hosted.get("/readiness")[0] == 503
        good.touch()
        hosted.up()
        assert [len(hosted.pids_of(name)) for name in ("left", "slow")] == [1, 1]


def test_success_threshold(tmp_path: Path) -> None:
    """Three good rounds in a row make it healthy, not two and one."""
    count = tmp_path / "count"
    script = f"echo x >> {count}; test $(wc -l < {count}) -ne 3"
    check = shell(script, successThreshold=3, restartOnFailure=False)
    with Hosted(tmp_path, [process("api", "exec sleep 600", readiness=check)], ["--debug"]) as hosted:
        hosted.up()
        assert len(count.read_text().split()) >= 6
        hosted.until(lambda: len(rounds(hosted, "api", "readiness")) == 1)


@pytest.mark.alone
def test_the_probes_of_a_round_look_at_the_same_time(tmp_path: Path) -> None:
    """Three probes of half a second are a round of half a second; a connection is closed at its timeout."""
    with SilentListeners(1) as silent:
        (port,) = silent.ports
        check = {
            **shell("sleep 60", timeout="500ms", restartOnFailure=False),
            "http": {"url": f"http://127.0.0.1:{port}/", "timeout": "500ms"},
            "grpc": {"address": f"127.0.0.1:{port}", "timeout": "500ms"},
        }
        with Hosted(tmp_path, [process("api", "exec sleep 600", readiness=check)], http=True) as hosted:
            # The first round may take longer: it loads what its probes need.
            hosted.until(lambda: len(rounds(hosted, "api", "readiness")) >= 4)
            last = hosted.get("/status?full")[1]["api"]["checks"]["readiness"]["probes"]
            assert hosted.end() == 0
        visits = silent.visits[port][2:8]
    assert [round(probe["seconds"], 1) for probe in last] == [0.5] * 3
    for one, other in zip(visits[::2], visits[1::2], strict=True):
        assert abs(one.came - other.came) < 0.1
    gaps = [after.came - before.came for before, after in pairwise(visits[::2])]
    assert all(0.5 < gap < 0.9 for gap in gaps), gaps


def test_a_command_and_all_it_started_end_with_their_process(tmp_path: Path) -> None:
    """At its timeout, and when procwrap is told to stop in the middle, nothing of a command is left."""
    pids = tmp_path / "pids"
    script = f"sleep 600 & (sleep 600 & echo $! >> {pids}; wait) & echo $$ $! >> {pids}; wait"
    plan = [
        process("short", "exec sleep 600", readiness=shell(script, timeout="300ms", restartOnFailure=False)),
        process("long", "exec sleep 600", readiness=shell(script, timeout="600s", restartOnFailure=False)),
    ]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: len(rounds(hosted, "short", "readiness")) >= 2)
        first = [int(pid) for pid in pids.read_text().split()]
        assert len(first) >= 6
        began = time.monotonic()
        assert hosted.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < 5
        eventually(lambda: not any(map(alive, map(int, pids.read_text().split()))))


@needs_root
def test_a_command_takes_the_place_of_its_process(tmp_path: Path) -> None:
    """It has the user, groups, directory, limits and environment of the process, and its own besides."""
    home = tmp_path / "home"
    home.mkdir()
    for directory in (home, *home.parents):
        if directory.stat().st_uid == 0 and directory.is_relative_to("/tmp") and directory != Path("/tmp"):
            directory.chmod(0o755)
    check = shell("echo $(id -u) $(id -g) $PWD $OF_PROCESS $OF_PROBE $(ulimit -n); exit 1")
    check["exec"]["command"]["envs"] = {"OF_PROBE": "probe"}
    attributes = {"credential": {"uid": NOBODY, "gid": NOBODY}, "rlimits": {"nofile": 77}}
    api = process(
        "api",
        "exec sleep 600",
        readiness={**check, "restartOnFailure": False},
        dir=str(home),
        envs={"OF_PROCESS": "process"},
        sysProcAttr=attributes,
    )
    with Hosted(tmp_path, [api]) as hosted:
        hosted.until(lambda: hosted.said("^exec sh: "))
        expected = f"exit code 1 ({NOBODY} {NOBODY} {home} process probe 77), expected exit code 0"
        assert hosted.said("^exec sh: ")[0] == f"exec sh: {expected}"


def test_what_a_command_says_is_cut_and_masked(tmp_path: Path) -> None:
    """256 bytes of its output are in the reason, of all lines; a secret across the cut is not half there."""
    script = 'printf "%0.sä" $(seq 120); echo; echo "no $DB_PASSWORD"; yes | head -c 1000000; exit 3'
    secret = "Xq7-" + "s" * 40
    check = shell(script, restartOnFailure=False)
    api = process("api", "exec sleep 600", readiness=check, envs={"DB_PASSWORD": secret})
    with Hosted(tmp_path, [api]) as hosted:
        (first, *_) = hosted.until(lambda: hosted.said("^exec sh: "))
        assert hosted.end() == 0
        assert "Xq7" not in hosted.told()
    shown = first.partition("(")[2].partition("), expected")[0]
    assert shown.startswith("ä" * 120 + " no *** y y")
    assert len(shown.encode()) <= 256
