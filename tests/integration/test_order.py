"""Who starts after whom, who is stopped before whom, and replicas; real processes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.hosted import Hosted, process
from tests.support.plans import restarted, serving

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]


def position(hosted: Hosted, pattern: str) -> int:
    """Return the index of the only line of the log in which a pattern is found."""
    (found,) = [
        index for index, line in enumerate(hosted.out.read_text().splitlines()) if re.search(pattern, line)
    ]
    return found


def test_dependencies_are_waited_for(tmp_path: Path) -> None:
    """completed: it has ended with success; ready: its probes succeed; started: it runs."""
    file = tmp_path / "file"
    probe = {"delay": "0s", "period": "20ms", "startupDeadline": "30s", "file": {"path": str(file)}}
    plan = [
        process("last", "echo last", dependsOn=["db", {"name": "side", "condition": "started"}]),
        process("db", f"sleep 0.3; echo touched; touch {file}; sleep 600", readiness=probe,
                dependsOn=[{"name": "migrate", "condition": "completed"}]),
        process("side", "sleep 600"),
        process("migrate", "sleep 0.3; echo migrated"),
    ]  # fmt: skip
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: hosted.lines("last"))
        assert hosted.said("waiting: waits for migrate to be completed")
        assert hosted.said("waiting: waits for db to be ready")
        ended = position(hosted, "exit code 0.*process=migrate")
        assert position(hosted, "msg=started.*process=side") < ended
        assert ended < position(hosted, "msg=started.*process=db")
        assert position(hosted, "msg=touched") < position(hosted, "msg=started.*process=last")
        assert hosted.end() == 0


def test_what_waits_in_vain_is_skipped(tmp_path: Path) -> None:
    """A dependency that can never be had skips whatever needs it, and its code is the exit code."""
    plan = [
        process("migrate", "exit 9"),
        process("web", "echo web", dependsOn=[{"name": "migrate", "condition": "completed"}]),
        process("proxy", "echo proxy", dependsOn=["web"]),
    ]
    with Hosted(tmp_path, plan) as hosted:
        assert hosted.wait() == 9
        assert len(hosted.said("^skipped: waited for")) == 2
        assert hosted.lines("web") + hosted.lines("proxy") == []


def test_the_stop_goes_in_reverse(tmp_path: Path) -> None:
    """A process is told to stop only when everything that depends on it is gone."""
    slow = serving("echo told; sleep 0.2; echo gone; exit 0")
    plan = [
        process("db", slow),
        process("api", slow, dependsOn=["db"]),
        process("web_a", slow, dependsOn=["api"]),
        process("web_b", slow, dependsOn=["api"]),
    ]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: all(hosted.lines(item["name"]) for item in plan))
        assert hosted.end() == 0
        said = [(r["name"], r["msg"]) for r in hosted.records() if r["msg"] in ("told", "gone")]
        assert sorted(said[:2]) == [("web_a", "told"), ("web_b", "told")]
        assert sorted(said[2:4]) == [("web_a", "gone"), ("web_b", "gone")]
        assert said[4:] == [("api", "told"), ("api", "gone"), ("db", "told"), ("db", "gone")]


def test_nothing_is_restarted_during_the_shutdown(tmp_path: Path) -> None:
    """What crashes, or fails its probes, while others are still being stopped stays down."""
    healthy = tmp_path / "healthy"
    healthy.touch()
    liveness = {"period": "20ms", "failureThreshold": 1, "file": {"path": str(healthy)}}
    leave = serving(f"rm {healthy}; sleep 0.5; exit 0")
    plan = [
        restarted("probed", "echo up; sleep 600", liveness=liveness),
        restarted("crashing", f"echo up; while [ -e {healthy} ]; do sleep 0.02; done; exit 1"),
        process("web", leave, dependsOn=["probed", "crashing"]),
    ]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: hosted.lines("web"))
        assert hosted.end() == 0
        assert len(hosted.pids_of("probed")) == 1
        assert len(hosted.pids_of("crashing")) == 1


def test_replicas_have_everything_of_the_original(tmp_path: Path) -> None:
    """dir, environment, labels, policy and probes; each its number, its state and its own restarts."""
    work = tmp_path / "work"
    work.mkdir()
    script = 'echo "$PROCWRAP_REPLICA $A $(pwd)"; [ "$PROCWRAP_REPLICA" = 1 ] && exit 1; sleep 600'
    probe = {"delay": "0s", "env": {"name": "A", "value": "b"}}
    worker = restarted(
        "w", script, replicas=3, dir=str(work), envs={"A": "b"}, labels={"team": "x"}, readiness=probe
    )
    with Hosted(tmp_path, [worker], http=True) as hosted:
        hosted.until(lambda: len(hosted.pids_of("w_1")) >= 3)
        hosted.until(lambda: hosted.lines("w_0") and hosted.lines("w_2"))
        assert {record["team"] for record in hosted.records() if record["name"].startswith("w_")} == {"x"}
        for number in (0, 1, 2):
            assert set(hosted.lines(f"w_{number}")) == {f"{number} b {work}"}
        hosted.until(lambda: hosted.get("/status")[1]["w_0"])
        assert set(hosted.get("/status")[1]) == {"w_0", "w_1", "w_2"}
        assert {len(hosted.pids_of("w_0")), len(hosted.pids_of("w_2"))} == {1}
        assert hosted.end() == 0
