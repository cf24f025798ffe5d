"""The ``lock`` probe as users meet it: standby, takeover, loss, the token, and what is said about it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tests.support.hosted import Hosted, alive, free_port, process
from tests.support.lockfaults import Server
from tests.support.procfs import children_of, eventually
from tests.support.reloaded import reload

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

LOCKED = {"readiness": {"lock": {"ttlDuration": "1s"}}}
PRINT = "echo token $PROCWRAP_FENCING_TOKEN; exec sleep 1000"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A lock server with its store in a file."""
    made = Server(tmp_path / "server")
    yield made
    made.close()


def pod(home: Path, name: str, port: int, *plan: dict[str, Any], **settings: Any) -> Hosted:
    """Start a procwrap of this Pod."""
    (home / name).mkdir()
    processes = list(plan) or [process("job", PRINT, restartPolicy="always", **LOCKED)]
    options = ["--shared-lock-url", f"http://127.0.0.1:{port}"]
    return Hosted(home / name, processes, options, {"POD_NAME": name}, **settings)


def token_of(hosted: Hosted) -> int:
    """Wait for the process; return the fencing token that it got last."""
    return int(hosted.until(lambda: hosted.lines("job"))[-1].split()[1])


def guard_of(hosted: Hosted) -> int:
    """Return the pid of its guard."""
    for pid in children_of(hosted.process.pid):
        if b"guard.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("it has no guard")


def test_the_example(tmp_path: Path, server: Server) -> None:
    """As it is shown: it gets its lock, and is ready."""
    text = (ROOT / "docs" / "examples" / "probes" / "lock.yaml").read_text("utf-8")
    config, ready = tmp_path / "config.yaml", tmp_path / "ready"
    config.write_text(text.replace("ttlDuration: 2s", "ttlDuration: 1s"), "utf-8")
    options = ["--config", str(config), "--readiness-file", str(ready), "--http", "off"]
    options += ["--shared-lock-url", f"http://127.0.0.1:{server.port}"]
    with Hosted(tmp_path, None, options) as hosted:
        hosted.until(ready.exists)
        assert hosted.until(lambda: hosted.lines("scheduler"))[0].startswith("token ")
        assert hosted.end() == 0
        assert hosted.said("gave the shared lock back")


def test_one_runs_and_one_stands_by(tmp_path: Path, server: Server) -> None:
    """The other says for whom, counts for no health, and takes over with a greater token."""
    with pod(tmp_path, "pod-a", server.port, http=True) as first:
        token = token_of(first)
        with pod(tmp_path, "pod-b", server.port, http=True) as second:
            second.until(lambda: second.said("standby: pod-a holds the lock"))
            assert second.get("/liveness")[0] == 200
            status, body = second.get("/readiness")
            assert (status, body["processes"]["job"]["state"]) == (503, "standby")
            assert (second.lines("job"), second.get("/status")[1]) == ([], {"job": False})
            metrics = second.get("/metrics")[1]
            assert 'procwrap_lock_held{process_name="job"} 0' in metrics
            assert 'procwrap_lock_held{process_name="job"} 1' in first.get("/metrics")[1]
            assert first.end() == 0
            assert token_of(second) > token
            second.until(lambda: second.get("/readiness")[0] == 200)
            labels = 'status="success",process_name="job",cmd="/bin/sh'
            assert f"sidecar_cmd_acquire_lock_total{{{labels}" in second.get("/metrics")[1]


def test_a_replica_has_a_lock_of_its_own(tmp_path: Path, server: Server) -> None:
    """Both run here, for both names are free; in a second Pod both stand by."""
    plan = process("job", PRINT, replicas=2, **LOCKED)
    with pod(tmp_path, "pod-a", server.port, plan) as first:
        first.until(lambda: first.lines("job_0") and first.lines("job_1"))
        with pod(tmp_path, "pod-b", server.port, plan) as second:
            second.until(lambda: len(second.said("standby: pod-a holds the lock")) == 2)


def test_without_a_server_nothing_runs(tmp_path: Path) -> None:
    """It says why, goes on asking, and ends at once when it is told to."""
    with pod(tmp_path, "pod-a", free_port()) as hosted:
        hosted.until(lambda: hosted.said("standby: lock server .*: connection refused"))
        assert hosted.end() == 0
        assert hosted.lines("job") == []


def test_a_server_that_has_gone_ends_the_process(tmp_path: Path, server: Server) -> None:
    """It is killed in time, said so, and runs again when the server is back."""
    with pod(tmp_path, "pod-a", server.port) as hosted:
        token = token_of(hosted)
        pid = hosted.pid_of("job")
        server.kill()
        hosted.until(lambda: hosted.said("lost the shared lock: not renewed in time: lock server"))
        eventually(lambda: not alive(pid))
        server.again()
        hosted.until(lambda: len(hosted.lines("job")) == 2)
        assert token_of(hosted) > token
        restarts = [record for record in hosted.records() if record.get("cause")]
        assert [record["cause"] for record in restarts] == ["lock"]


def test_without_its_guard_nothing_runs(tmp_path: Path, server: Server) -> None:
    """Somebody has killed it: the process ends, with the reason, and begins again with a new one."""
    with pod(tmp_path, "pod-a", server.port) as hosted:
        token_of(hosted)
        pid, guard = hosted.pid_of("job"), guard_of(hosted)
        os.kill(guard, signal.SIGKILL)
        hosted.until(lambda: hosted.said("lost the shared lock: the guard is gone"))
        eventually(lambda: not alive(pid))
        hosted.until(lambda: len(hosted.lines("job")) == 2)
        assert guard_of(hosted) != guard


def test_a_stopped_procwrap_loses_its_process(tmp_path: Path, server: Server) -> None:
    """The guard kills it; when procwrap goes on it knows, says so, and stands by."""
    with pod(tmp_path, "pod-a", server.port) as hosted:
        token_of(hosted)
        pid = hosted.pid_of("job")
        hosted.signal(signal.SIGSTOP)
        eventually(lambda: not alive(pid))
        with pod(tmp_path, "pod-b", server.port) as other:
            token_of(other)
            hosted.signal(signal.SIGCONT)
            hosted.until(lambda: hosted.said("standby: pod-b holds the lock"))
            assert hosted.said("lost the shared lock")


def test_a_killed_procwrap_takes_its_process_with_it(tmp_path: Path, server: Server) -> None:
    """Nobody keeps the lock any more, so nothing may go on; not even the guard."""
    with pod(tmp_path, "pod-a", server.port) as hosted:
        token_of(hosted)
        pid, guard = hosted.pid_of("job"), guard_of(hosted)
        hosted.signal(signal.SIGKILL)
        hosted.wait()
        eventually(lambda: not alive(pid) and not alive(guard))


def test_the_lock_is_kept_while_anything_is_left(tmp_path: Path, server: Server) -> None:
    """A descendant outlives its leader: it is ended first, and only then the next one runs."""
    script = "trap '' TERM; sh -c \"trap '' TERM; echo below; while :; do sleep 1; done\" & sleep 0.3; exit 0"
    plan = process("job", script, **LOCKED)
    with pod(tmp_path, "pod-a", server.port, plan, process("other", "sleep 1000")) as hosted:
        hosted.until(lambda: hosted.said("exit code 0"))
        with pod(tmp_path, "pod-b", server.port) as second:
            second.until(lambda: second.said("standby: pod-a holds the lock"))
            token_of(second)
            order = [line for line in hosted.lines("procwrap") if "shared lock" in line]
            assert order[-1] == "gave the shared lock back"
            assert hosted.said("lost the shared lock") == []


def test_a_command_that_cannot_be_executed_gives_its_lock_back(tmp_path: Path, server: Server) -> None:
    """Its own mistake must not keep others from running."""
    with pod(
        tmp_path, "pod-a", server.port, process("job", "", **LOCKED) | {"entrypoint": "/nowhere"}
    ) as hosted:
        assert hosted.wait() != 0
        assert hosted.said("gave the shared lock back")
        with pod(tmp_path, "pod-b", server.port) as second:
            token_of(second)


def test_a_reload_with_locks(tmp_path: Path, server: Server) -> None:
    """The lock comes with a reload, is taken anew by a changed process, and goes with its process."""
    other = process("other", "exec sleep 1000")
    with pod(tmp_path, "pod-a", server.port, other) as hosted:
        hosted.up()
        job = process("job", PRINT, restartPolicy="always", **LOCKED)
        assert reload(hosted, [other, job]) == "reloaded: 1 added (job), 1 unchanged"
        token = token_of(hosted)
        hosted.until(lambda: hosted.said("^holds the shared lock"))
        assert "1 restarted (job: envs)" in reload(hosted, [other, {**job, "envs": {"X": "1"}}])
        hosted.until(lambda: len(hosted.lines("job")) == 2)
        assert token_of(hosted) > token
        with pod(tmp_path, "pod-b", server.port) as second:
            second.until(lambda: second.said("standby: pod-a holds the lock"))
            assert reload(hosted, [other]) == "reloaded: 1 removed (job), 1 unchanged"
            assert token_of(second) > token + 1
        assert hosted.end() == 0
