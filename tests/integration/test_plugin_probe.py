"""The example package of the documentation, installed and used: a probe that is none of ours."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checkout import ROOT
from tests.support.hosted import Hosted, free_port, process
from tests.support.packages import EXAMPLE, install, install_example
from tests.support.servers.redis import RedisServer

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

PASSWORD = "correct-horse"
HOSTILE = """
import sys
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet import reactor

class Probe:
    default_timeout = 0.2

    @staticmethod
    def configure(settings):
        return settings["does"]

    def __init__(self, does, context):
        self.does, self.reactor = does, context.reactor
        if does == "constructor":
            raise SystemExit(9)

    @property
    def target(self):
        return 1 / 0

    def check(self):
        if self.does == "late":
            found = Deferred()
            self.reactor.callLater(0.01, found.errback, RuntimeError("t0ps3cret " + "x" * 2000))
            return found
        if self.does == "unheard":
            fail(RuntimeError("nobody listens"))
            self.reactor.callLater(0.01, lambda: 1 / 0)
            return Deferred(lambda _: 1 / 0)
        return None if self.does == "none" else sys.exit(7)

    def close(self):
        raise SystemExit(8)
"""


def path(*homes: Path) -> dict[str, str]:
    """The environment in which procwrap finds packages at these places."""
    return {"PYTHONPATH": ":".join(map(str, (ROOT, *homes)))}


@pytest.fixture
def example(tmp_path: Path) -> tuple[list[dict[str, Any]], int, dict[str, str]]:
    """The example's config on a port of its own, the port, and the environment with the package."""
    port = free_port()
    text = (EXAMPLE / "app.yaml").read_text("utf-8").replace("6379", str(port)).replace("1s", "100ms")
    return yaml.safe_load(text), port, path(install_example(tmp_path / "site"))


def test_the_example(tmp_path: Path, example: Any) -> None:
    """The probe of the documentation runs: right, stopped, killed, and back; its password is nowhere."""
    plan, port, environment = example
    with Hosted(tmp_path, plan, (), environment, http=True) as hosted:
        hosted.until(lambda: hosted.said(f"redis 127.0.0.1:{port}: connection refused, expected PONG"))
        with RedisServer(port, PASSWORD) as redis:
            hosted.up()
            redis.signal(signal.SIGSTOP)
            hosted.until(lambda: hosted.said(f"redis 127.0.0.1:{port}: no answer within 0.5s, expected PONG"))
            redis.signal(signal.SIGCONT)
            assert hosted.get("/readiness?wait=20s")[0] == 200
        hosted.until(lambda: hosted.get("/readiness")[0] == 503)
        with RedisServer(port, PASSWORD):
            assert hosted.get("/readiness?wait=20s")[0] == 200
        assert PASSWORD not in str(hosted.get("/status?full")[1])
        assert hosted.end() == 0
    assert PASSWORD not in hosted.told()


def test_a_wrong_password(tmp_path: Path, example: Any) -> None:
    """The server's words are told, and neither the right nor the wrong password."""
    plan, port, environment = example
    plan[0]["readiness"]["redis"]["password"] = "wrong-battery"
    with RedisServer(port, PASSWORD), Hosted(tmp_path, plan, (), environment) as hosted:
        hosted.until(lambda: hosted.said(f"redis 127.0.0.1:{port}: -WRONGPASS invalid username-password"))
        assert hosted.end() == 0
    assert PASSWORD not in hosted.told()
    assert "wrong-battery" not in hosted.told()


def test_hostile_plugins(tmp_path: Path) -> None:
    """Whatever a plugin does, a neighbour stays healthy, and procwrap goes on and ends as it should."""
    environment = path(install(tmp_path / "site", "hostile", {"evil": "hostile:Probe"}, HOSTILE))
    said = {
        "constructor": "evil: SystemExit: 9, expected to succeed",
        "late": "evil: RuntimeError: *** xxx",
        "unheard": "evil: no answer within 0.2s, expected to succeed",
        "none": "evil: a bug: check() returned NoneType instead of a Deferred, expected to succeed",
        "raises": "evil: SystemExit: 7, expected to succeed",
    }
    check = {"delay": "0s", "period": "100ms", "failureThreshold": 3}
    plan = [
        process(
            does,
            "exec sleep 60",
            envs={"API_TOKEN": "t0ps3cret"},
            readiness={**check, "evil": {"does": does}},
            restartPolicy="always",
            restartBackoff={"initial": "10ms"},
        )
        for does in said
    ]
    plan.append(process("neighbour", "exec sleep 60", readiness={**check, "file": {"path": "/"}}))
    with Hosted(tmp_path, plan, (), environment, http=True) as hosted:
        hosted.until(lambda: all(len(hosted.pids_of(does)) > 2 for does in said))
        _, answer = hosted.get("/status?full")
        assert hosted.get("/status")[1]["neighbour"] is True, answer
        for does, line in said.items():
            told = [r["msg"] for r in hosted.records() if r.get("process") == does and "check" in r]
            assert told
            assert all(message.startswith(line) for message in told), told
            assert all(len(message) <= 512 for message in told)
        assert hosted.end() == 0
    assert "t0ps3cret" not in hosted.told()


def test_errors_have_their_place(tmp_path: Path, example: Any) -> None:
    """``procwrap check`` knows the plugin's keys, and tells what is wrong with them where they stand."""
    config = tmp_path / "app.yaml"
    text = (EXAMPLE / "app.yaml").read_text("utf-8")
    good = run_check(config, text, example[2])
    assert (good.returncode, good.stderr) == (0, "")
    bad = run_check(config, text.replace("127.0.0.1:6379", "6379"), example[2])
    assert bad.returncode == 2
    place = f"{config}:9:22: processes[0].readiness.redis.address"
    assert bad.stderr == f'{place}: expected "host:port", got "6379"\n'
    without = run_check(config, text, path())
    assert without.returncode == 2
    assert ": processes[0].readiness.redis: unknown key: expected one of delay, period" in without.stderr


def run_check(config: Path, text: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Check a text."""
    config.write_text(text)
    command = [sys.executable, "-m", "procwrap", "check", str(config)]
    return subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, timeout=60
    )
