"""postStart and preStop around real processes, in real time."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tests.support.hosted import Hosted, alive, free_port, process
from tests.support.plans import SERVE, STUBBORN, restarted
from tests.support.procfs import eventually, kill, status, zombies_of
from tests.support.servers.postgres import ADMIN, ADMIN_PASSWORD, Postgres

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

EXAMPLE = ROOT / "docs" / "examples" / "hooks.yaml"
LONG = os.environ.get("PROCWRAP_LONG") == "1"
RESTARTS = 1_000 if LONG else 60
HANGS = "(trap '' TERM; sleep 600) & echo hangs $!; wait"
"""A hook that never ends, with a child of its own."""


def sh(script: str, **settings: Any) -> dict[str, Any]:
    """Return a hook that runs a shell script."""
    return {"command": {"entrypoint": "/bin/sh", "args": ["-c", script]}, **settings}


def hooked(hosted: Hosted, hook: str, name: str = "a") -> list[str]:
    """Return what a hook of a process has written so far."""
    records = hosted.records()
    return [record["msg"] for record in records if record["name"] == name and record.get("hook") == hook]


def position(hosted: Hosted, message: str, name: str) -> int:
    """Return where in the log a message stands first."""
    return next(
        at for at, r in enumerate(hosted.records()) if r["name"] == name and r["msg"].startswith(message)
    )


def test_the_example_in_the_documentation(tmp_path: Path) -> None:
    """Warmed up, then ready, then the client; at the end the client first, then drained, then stopped."""
    config = tmp_path / "hooks.yaml"
    config.write_text(EXAMPLE.read_text("utf-8").replace("18080", str(free_port())), "utf-8")
    options = ["--config", str(config), "--readiness-file", str(tmp_path / "ready")]
    with Hosted(tmp_path, None, options, http=True) as hosted:
        hosted.until(lambda: hooked(hosted, "postStart", "web"))
        cause = hosted.until(lambda: hosted.get("/readiness")[1]["processes"].get("web"))
        assert cause == {"state": "starting", "reason": "postStart runs"}
        assert not hosted.ready_file.exists()
        assert hosted.lines("client") == []
        hosted.up()
        hosted.until(lambda: hosted.lines("client") == ["web is warm"])
        assert hosted.get("/readiness")[0] == 200
        assert hosted.end() == 0
    assert hooked(hosted, "postStart", "web") == ["filling the cache", "100 pages are in"]
    assert hooked(hosted, "preStop", "web") == ["waiting for the last requests"]
    ends = [r["process"] for r in hosted.records() if r["msg"] in ("exit code 0", "ended by SIGTERM")]
    assert ends == ["client", "web"]
    assert position(hosted, "exit code 0", "procwrap") < position(hosted, "waiting for", "web")


def test_a_hook_writes_into_the_log_of_its_process(tmp_path: Path) -> None:
    """With the process's name and labels, its own pid, each stream under its name, and while it runs."""
    script = "echo out $A $B; echo err >&2; while [ ! -e go ]; do sleep 0.05; done; printf last"
    post_start = sh(script, envs={"B": "2"})
    plan = [restarted("a", SERVE, postStart=post_start, envs={"A": "1"}, labels={"team": "core"})]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: len(hooked(hosted, "postStart")) == 2)
        assert not hosted.ready_file.exists()
        (tmp_path / "go").touch()
        hosted.up()
        assert hosted.end() == 0
        seen = {r["msg"]: (r["out"], r["hook"], r["team"]) for r in hosted.records() if r.get("hook")}
        expected = {"out 1 2": "stdout", "err": "stderr", "last": "stdout"}
        assert seen == {text: (out, "postStart", "core") for text, out in expected.items()}
        pids = {record["pid"] for record in hosted.records() if record.get("hook")}
        assert len(pids) == 1
        assert not pids & {str(pid) for pid in hosted.pids_of("a")}


def test_all_that_a_hook_writes_comes_out(tmp_path: Path) -> None:
    """Twenty thousand lines on each stream, in order, from a hook that ends at once after them."""
    script = "seq 20000; seq 20000 >&2"
    with Hosted(tmp_path, [process("a", SERVE, preStop=sh(script))]) as hosted:
        hosted.up()
        assert hosted.end() == 0
    for out in ("stdout", "stderr"):
        lines = [r["msg"] for r in hosted.records() if r.get("hook") == "preStop" and r["out"] == out]
        assert lines == [str(number) for number in range(1, 20_001)]


def test_each_replica_runs_its_own(tmp_path: Path) -> None:
    """With its own environment."""
    post_start = sh("echo I am $PROCWRAP_REPLICA")
    with Hosted(tmp_path, [process("a", SERVE, replicas=3, postStart=post_start)]) as hosted:
        hosted.up()
        assert [hooked(hosted, "postStart", f"a_{n}") for n in range(3)] == [[f"I am {n}"] for n in range(3)]
        assert hosted.end() == 0


@pytest.mark.parametrize(
    ("post_start", "reason"),
    [
        (sh("echo no disk >&2; exit 3"), "exec /bin/sh: exit code 3 (no disk), expected exit code 0"),
        (sh("sleep 600", deadline="200ms"), "exec /bin/sh: not done within 0.2s"),
        (
            {"command": {"entrypoint": "/missing"}},
            "exec /missing: cannot execute /missing: no such file, expected exit code 0",
        ),
        (
            sh("echo my token is $TOKEN; kill $$", envs={"TOKEN": "hunter2"}),
            r"exec /bin/sh: ended by SIGTERM (my token is ***), expected exit code 0",
        ),
    ],
    ids=["fails", "late", "missing", "secret"],
)
def test_a_failed_hook_restarts_the_process(tmp_path: Path, post_start: Any, reason: str) -> None:
    """It never counts as healthy, and one line at level error says why."""
    with Hosted(tmp_path, [restarted("a", SERVE, postStart=post_start)]) as hosted:
        hosted.until(lambda: len(hosted.pids_of("a")) >= 3)
        assert not hosted.ready_file.exists()
        errors = [r["msg"] for r in hosted.records() if r["level"] == "error"]
        assert set(errors) == {f"postStart failed: {reason}"}
        assert hosted.said("restarts in") != []
        assert {r["cause"] for r in hosted.records() if r["msg"].startswith("restarts")} == {"probe"}
        # What the hook itself writes is the process's own affair.
        assert "hunter2" not in "".join(hosted.lines("procwrap"))
        assert hosted.end() == 0


def test_a_hook_that_fails_once(tmp_path: Path) -> None:
    """A transient failure is over with the next start; nothing is not ready for ever."""
    script = "[ -e again ] || { touch again; exit 1; }"
    with Hosted(tmp_path, [restarted("a", SERVE, postStart=sh(script))]) as hosted:
        hosted.up()
        assert len(hosted.pids_of("a")) == 2
        assert hosted.end() == 0


def test_a_probe_that_fails_while_the_hook_runs(tmp_path: Path) -> None:
    """What counts is the last verdict: the hook runs once, and it is ready when the probe is good again."""
    ready = tmp_path / "live"
    ready.touch()
    readiness = {"delay": "0s", "period": "30ms", "failureThreshold": 1000, "file": {"path": str(ready)}}
    script = "echo begun; while [ ! -e go ]; do sleep 0.02; done; echo done"
    with Hosted(tmp_path, [process("a", SERVE, readiness=readiness, postStart=sh(script))]) as hosted:
        hosted.until(lambda: hooked(hosted, "postStart"))
        ready.unlink()
        hosted.until(lambda: hosted.said("no such file"))
        (tmp_path / "go").touch()
        hosted.until(lambda: hooked(hosted, "postStart") == ["begun", "done"])
        time.sleep(0.2)
        assert not hosted.ready_file.exists()
        ready.touch()
        hosted.up()
        assert hooked(hosted, "postStart") == ["begun", "done"]
        assert hosted.end() == 0


def test_what_a_hook_leaves_behind_is_ended(tmp_path: Path) -> None:
    """A child of its own in its group does not outlive it, nor keep it from being over."""
    script = "sleep 600 & echo $!"
    with Hosted(tmp_path, [process("a", SERVE, postStart=sh(script))]) as hosted:
        hosted.up()
        left = int(hosted.until(lambda: hooked(hosted, "postStart"))[0])
        eventually(lambda: not alive(left), 5)
        assert hosted.end() == 0


def test_sigterm_while_post_start_runs(tmp_path: Path) -> None:
    """The hook and its children are killed, the process is stopped as always, with its preStop hook."""
    plan = [restarted("a", SERVE, postStart=sh(HANGS), preStop=sh("echo draining"))]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: hooked(hosted, "postStart") and hosted.lines("a").count("up"))
        child = int(hooked(hosted, "postStart")[0].split()[1])
        began = time.monotonic()
        assert hosted.end() == 0
        assert time.monotonic() - began < 5
        assert not alive(child)
        assert hosted.lines("a")[-2:] == ["draining", "bye"]
        assert hosted.said("postStart failed") == []


def test_a_process_that_ends_while_its_post_start_runs(tmp_path: Path) -> None:
    """Its hook ends with it; the next run begins with a hook of its own."""
    plan = [restarted("a", "sleep 0.2; exit 1", postStart=sh(HANGS))]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: len(hooked(hosted, "postStart")) >= 3)
        first = int(hooked(hosted, "postStart")[0].split()[1])
        eventually(lambda: not alive(first), 5)
        assert hosted.said("postStart failed") == []
        assert hosted.end() == 0


def test_pre_stop_comes_before_the_stop_signal(tmp_path: Path) -> None:
    """The process still serves while the hook runs, and is told to stop when that is over."""
    script = "echo draining; sleep 0.4; kill -0 $(cat pid) && echo it lives"
    plan = [process("a", f"echo $$ > pid; {SERVE}", preStop=sh(script))]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        assert hosted.end() == 0
        assert hosted.lines("a") == ["up", "draining", "it lives", "bye"]


def test_pre_stop_that_hangs(tmp_path: Path) -> None:
    """It is killed in the middle of the grace; the process gets its stop signal, and SIGKILL in time."""
    script = STUBBORN.replace("trap '' TERM", "trap 'echo told' TERM")
    plan = [process("a", script, preStop=sh(HANGS), stopTimeout="1s")]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        began = time.monotonic()
        assert hosted.end() == 0
        assert 1.0 <= time.monotonic() - began < 4
        child = int(hooked(hosted, "preStop")[0].split()[1])
        assert not alive(child)
        assert hosted.said("preStop failed: exec /bin/sh: not done within 0.5s")
        assert hosted.lines("a")[-1] == "told"
        assert hosted.said("did not end within 1s: SIGKILL")


def test_pre_stop_that_fails(tmp_path: Path) -> None:
    """Is a warning about the process, and it is stopped all the same."""
    with Hosted(tmp_path, [process("a", SERVE, preStop=sh("echo oh; exit 1"))]) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        assert hosted.end() == 0
        (line,) = [r for r in hosted.records() if r["msg"].startswith("preStop failed")]
        assert (line["level"], line["process"]) == ("warning", "a")
        assert hosted.lines("a")[-1] == "bye"


def test_sigint_runs_no_hook(tmp_path: Path) -> None:
    """A fast shutdown is SIGKILL at once."""
    with Hosted(tmp_path, [process("a", SERVE, preStop=sh("echo draining; sleep 5"))]) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        assert hosted.end(signal.SIGINT, 5) == 130
        assert hosted.lines("a") == ["up"]


def test_a_second_sigterm_while_pre_stop_runs(tmp_path: Path) -> None:
    """No more grace: hook and process are killed now."""
    with Hosted(tmp_path, [process("a", SERVE, preStop=sh(HANGS), stopTimeout="60s")]) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        hosted.signal(signal.SIGTERM)
        hosted.until(lambda: hooked(hosted, "preStop"))
        assert hosted.end(seconds=5) == 0
        assert not alive(int(hooked(hosted, "preStop")[0].split()[1]))
        assert hosted.said("ended by SIGKILL")


def test_a_process_that_is_killed_while_its_pre_stop_runs(tmp_path: Path) -> None:
    """By its probes it was to be restarted: that happens at once, without waiting for the hook."""
    missing = {"delay": "200ms", "period": "20ms", "failureThreshold": 1, "file": {"path": "/missing"}}
    plan = [restarted("a", SERVE, liveness=missing, preStop=sh(HANGS), stopTimeout="60s")]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: hooked(hosted, "preStop"))
        kill(hosted.pid_of("a"))
        hosted.until(lambda: len(hosted.pids_of("a")) == 2, 5)
        child = int(hooked(hosted, "preStop")[0].split()[1])
        eventually(lambda: not alive(child), 5)
        assert {r["cause"] for r in hosted.records() if r["msg"].startswith("restarts")} == {"probe"}
        hosted.end(signal.SIGINT)


def test_pre_stop_by_http(tmp_path: Path) -> None:
    """The request comes before the stop signal, and its answer is waited for."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                got.append(peer.recv(4096))
                time.sleep(0.3)
                peer.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://localhost:{server.getsockname()[1]}/drain"
        plan = [process("a", SERVE, preStop={"http": {"url": url, "method": "POST"}})]
        with Hosted(tmp_path, plan) as hosted:
            hosted.until(lambda: hosted.lines("a"))
            began = time.monotonic()
            assert hosted.end() == 0
            assert time.monotonic() - began >= 0.3
            thread.join(5)
    assert got[0].startswith(b"POST /drain HTTP/1.1\r\n")
    assert hosted.said("preStop failed") == []


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    """The queries of a postStart hook fail in one line, without the password."""
    dsn = f"postgresql://me:hunter2@127.0.0.1:{free_port()}/db"
    post_start = {"sql": {"queries": ["select 1"], "dsn": dsn}}
    with Hosted(tmp_path, [restarted("a", SERVE, postStart=post_start)]) as hosted:
        hosted.until(lambda: len(hosted.pids_of("a")) >= 2)
        assert hosted.said("^postStart failed: .*127.0.0.1.*refused")
        assert hosted.end() == 0
        assert "hunter2" not in hosted.told()


def test_a_database(tmp_path: Path) -> None:
    """Its queries come after the command; one that hangs is cancelled in the server at the deadline."""
    server = Postgres()
    try:
        told = f"host=127.0.0.1 port={server.port} user={ADMIN} password={ADMIN_PASSWORD} dbname=postgres"
        works = {"queries": ["create table warm as select 1", "select 2"], "contains": [], "dsn": told}
        hangs = {"queries": ["select pg_sleep(600)"], "dsn": told}
        plan = [
            process("good", SERVE, postStart=sh("echo first", sql=works)),
            restarted("bad", SERVE, postStart={"sql": hangs, "deadline": "1s"}),
        ]
        with Hosted(tmp_path, plan) as hosted:
            hosted.until(lambda: server.active("%pg_sleep%"))
            hosted.until(lambda: hosted.said("^postStart failed: .*not done within 1s"))
            assert hooked(hosted, "postStart", "good") == ["first"]
            assert server.tell("select count(*) from warm") == [(1,)]
            assert hosted.end() == 0
        eventually(lambda: not server.active("%pg_sleep%"), 10)
        assert ADMIN_PASSWORD not in hosted.told()
    finally:
        server.remove()


def test_hundreds_of_restarts_leave_nothing_behind(tmp_path: Path) -> None:
    """Hooks that end, that fail, and that are cancelled: no descriptor, no zombie, no memory."""
    missing = {"delay": "20ms", "period": "10ms", "failureThreshold": 1, "file": {"path": "/missing"}}
    quick = {"restartBackoff": {"initial": "10ms", "max": "10ms"}}
    serve, hangs = "exec sleep 60", sh("exec sleep 60")
    plan = [
        restarted("ends", "exit 1", postStart=sh("echo warm"), **quick),
        restarted("fails", serve, postStart=sh("exit 1"), preStop=sh("echo x"), **quick),
        restarted("late", serve, liveness=missing, postStart=hangs, preStop={"sleep": "1ms"}, **quick),
        process("idle", "exec sleep 600"),
    ]
    with Hosted(tmp_path, plan) as hosted:
        names = ("ends", "fails", "late")
        hosted.until(lambda: all(len(hosted.pids_of(name)) >= 10 for name in names))
        before = footprint(hosted)
        hosted.until(lambda: all(len(hosted.pids_of(name)) >= RESTARTS for name in names), 170)
        after = footprint(hosted)
        assert hosted.end() == 0
    assert after[0] <= before[0] + 25
    assert after[1] <= before[1] + 20_000


def footprint(hosted: Hosted) -> tuple[int, int]:
    """Return procwrap's descriptors and its resident memory in KB; it leaves no zombie for long."""
    pid = hosted.process.pid
    eventually(lambda: not zombies_of(pid), 5)
    return len(os.listdir(f"/proc/{pid}/fd")), int(status(pid)["VmRSS"].split()[0])
