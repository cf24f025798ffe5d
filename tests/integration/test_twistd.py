"""``twistd -n procwrap``: the same program for those who run Twisted services."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import ROOT, Hosted, process
from tests.support.plans import SERVE
from tests.support.procfs import eventually

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "-n")


def twistd(home: Path, *plan: dict[str, Any], pid_file: str = "", **settings: Any) -> Hosted:
    """Run processes under twistd."""
    return Hosted(home, plan, program=(*TWISTD, f"--pidfile={pid_file}", "procwrap"), **settings)


def refused(
    home: Path, *words: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run twistd with a command line that it has to refuse."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    return subprocess.run(
        [*TWISTD, *words], capture_output=True, text=True, cwd=home, env=environ, timeout=60
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_the_exit_code_of_a_signal(tmp_path: Path, number: int, code: int) -> None:
    """Though twistd itself always ends with 0, or dies of the signal."""
    with twistd(tmp_path, process("a", SERVE)) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        assert hosted.end(number) == code
        assert hosted.lines("a") == (["up", "bye"] if code == 0 else ["up"])


def test_the_exit_code_of_the_main_process(tmp_path: Path) -> None:
    """Also with a pid file, which is gone afterwards."""
    pid_file = tmp_path / "twistd.pid"
    plan = [process("a", "sleep 0.3; exit 7", main=True), process("b", SERVE)]
    with twistd(tmp_path, *plan, pid_file=str(pid_file)) as hosted:
        hosted.until(lambda: hosted.lines("b"))
        assert int(pid_file.read_text()) == hosted.process.pid
        assert hosted.wait() == 7
    assert not pid_file.exists()


def test_stdout_carries_nothing_but_records(tmp_path: Path) -> None:
    """The same as of the command ``procwrap``: no line of twistd's own log, there or on stderr."""
    with twistd(
        tmp_path, process("a", "echo hello; echo level=warn msg=oops >&2; exit 3"), http=True
    ) as hosted:
        assert hosted.wait() == 3
        records = hosted.records()
    assert {record["name"] for record in records} == {"procwrap", "a"}
    assert [(r["level"], r["msg"], r["out"]) for r in records if r["name"] == "a"] == [
        ("info", "hello", "stdout"),
        ("warning", "oops", "stderr"),
    ]
    assert all({"time", "level", "msg"} <= set(record) for record in records)
    assert hosted.out.read_bytes().endswith(b"\n")
    assert hosted.err.read_bytes() == b""


def test_it_serves_http(tmp_path: Path) -> None:
    """Readiness and all the rest."""
    with twistd(tmp_path, process("a", SERVE), http=True) as hosted:
        hosted.up()
        eventually(lambda: hosted.get("/readiness?wait=20s")[0] == 200)
        assert hosted.end() == 0


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ('[{"name": "a", "entrypoint": "x", "entrypiont": "y"}]', "entrypiont"),
        ("{", "c.json:1:"),
    ],
)
def test_a_bad_config(tmp_path: Path, config: str, why: str) -> None:
    """Exit 2 with the message of the command ``procwrap``, and no pid file."""
    (tmp_path / "c.json").write_text(config)
    done = refused(tmp_path, "procwrap", "--config", "c.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("c.json:1:")
    assert why in done.stderr
    assert not (tmp_path / "twistd.pid").exists()


@pytest.mark.parametrize("words", [("--no-such-option",), ("--config", "/no/file")])
def test_a_bad_command_line(tmp_path: Path, words: Sequence[str]) -> None:
    """Exit 2, one line."""
    done = refused(tmp_path, "procwrap", *words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_a_port_in_use(tmp_path: Path) -> None:
    """Exit 1, one line that names it, no process started, no pid file left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        (tmp_path / "c.json").write_text(
            f'[{{"name": "a", "entrypoint": "touch", "args": ["{tmp_path}/ran"]}}]'
        )
        done = refused(tmp_path, "procwrap", "--config", "c.json", environment={"HEALTH_SOCKET": address})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert address in done.stderr
    assert "in use" in done.stderr
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "twistd.pid").exists()


def test_a_wrapped_command(tmp_path: Path) -> None:
    """``twistd -n procwrap -- command``: its exit code, its output, nothing else."""
    (tmp_path / "twistd.pid").unlink(missing_ok=True)
    done = refused(tmp_path, "--pidfile=", "procwrap", "--", "sh", "-c", "echo out; echo err >&2; exit 9")
    assert (done.returncode, done.stdout, done.stderr) == (9, "out\n", "err\n")


def test_help(tmp_path: Path) -> None:
    """It knows the plugin, and the plugin its options."""
    done = refused(tmp_path, "procwrap", "--help")
    assert done.returncode == 0
    assert "--graceful-shutdown-deadline" in done.stdout
    assert "procwrap" in refused(tmp_path, "--help").stdout
