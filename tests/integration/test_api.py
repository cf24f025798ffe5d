"""What operators ask for, through TCP with the token and through the control socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.hosted import Hosted, alive, process

pytestmark = pytest.mark.integration

TOKEN = "s3cret-of-the-tests"
Ask = Callable[[str, str], tuple[int, Any]]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """A host that all tests share."""
    plan = [
        process("api", "echo hello; trap 'echo hangup' HUP; while :; do sleep 0.05; done", memoryLimitMB=500),
        process("db", "exec sleep 1000 # --password=s3cret", dependsOn=["api"]),
        process("broken", "exit 3"),
        {"name": "missing", "entrypoint": "/nonexistent/command"},
        process("slow", "trap '' TERM; while :; do sleep 0.05; done", stopTimeout="60s"),
    ]
    home = tmp_path_factory.mktemp("api")
    with Hosted(home, plan, http=True, environment={"PROCWRAP_API_TOKEN": TOKEN}) as hosted:
        hosted.until(lambda: hosted.lines("api"))
        yield hosted


@pytest.fixture(params=["TCP", "control socket"])
def ask(host: Hosted, request: pytest.FixtureRequest) -> Ask:
    """Ask one way or the other."""

    def through_tcp(target: str, method: str = "GET") -> tuple[int, Any]:
        return host.get(target, method, headers={"Authorization": f"Bearer {TOKEN}"})

    def through_the_socket(target: str, method: str = "GET") -> tuple[int, Any]:
        return host.operate(method, target)

    return through_tcp if request.param == "TCP" else through_the_socket


def test_all_processes(ask: Ask) -> None:
    """With what was asked for and the command, whose secrets are hidden."""
    code, body = ask("/api/processes", "GET")
    assert code == 200
    assert body["host"].items() >= {"preempted": False, "shutdown": False}.items()
    api, db, broken, *_ = body["processes"]
    assert (api["name"], api["state"], api["memoryLimitBytes"]) == ("api", "running", 500 << 20)
    assert (db["dependsOn"], db["command"]) == (["api"], "/bin/sh -c exec sleep 1000 # --password=***")
    assert (broken["lastExit"]["code"], broken["pid"]) == (3, None)
    assert broken["lastExitAt"] is not None


def test_one_process(ask: Ask) -> None:
    """The same by its name; 404 for what there is not."""
    code, body = ask("/api/processes/api", "GET")
    assert (code, body["name"], alive(body["pid"])) == (200, "api", True)
    assert ask("/api/processes/nobody", "GET")[0] == 404


def test_orders(ask: Ask) -> None:
    """Stopped, started, restarted: each is answered when it is so, with the new pid."""
    before = ask("/api/processes/api", "GET")[1]["pid"]
    code, body = ask("/api/processes/api/stop", "POST")
    assert (code, body["state"], body["pid"], alive(before)) == (200, "stopped", None, False)
    code, body = ask("/api/processes/api/start", "POST")
    assert (code, body["state"], alive(body["pid"])) == (200, "running", True)
    code, again = ask("/api/processes/api/restart", "POST")
    assert (code, again["state"]) == (200, "running")
    assert again["pid"] != body["pid"]
    assert (alive(body["pid"]), alive(again["pid"])) == (False, True)
    assert ask("/api/processes/api/start", "POST")[1] == again


def test_what_does_not_come_up(ask: Ask) -> None:
    """409 says how it ended."""
    code, body = ask("/api/processes/missing/start", "POST")
    assert code == 409
    assert "/nonexistent/command" in body["error"]


def test_not_waiting(ask: Ask, host: Hosted) -> None:
    """202 at once, or after a while, for what takes longer."""
    code, body = ask("/api/processes/slow/stop?wait=false", "POST")
    assert (code, body["state"]) == (202, "stopping")
    assert ask("/api/processes/slow/stop?wait=50ms", "POST")[0] == 202
    assert ask("/api/processes/slow/signal?signal=SIGKILL", "POST")[0] == 200
    host.until(lambda: ask("/api/processes/slow", "GET")[1]["state"] == "stopped")
    assert ask("/api/processes/slow/signal?signal=TERM", "POST")[0] == 409
    assert ask("/api/processes/slow/start?wait=false", "POST")[0] == 202
    host.until(lambda: ask("/api/processes/slow", "GET")[1]["state"] == "running")


def test_signals(ask: Ask, host: Hosted) -> None:
    """The process gets the signal, by whatever name."""
    before = len(host.lines("api"))
    for name in ("HUP", "sighup", "1"):
        assert ask(f"/api/processes/api/signal?signal={name}", "POST")[0] == 200
        before += 1
        host.until(lambda: len(host.lines("api")) >= before)  # noqa: B023
    assert ask("/api/processes/api/signal?signal=SIGFOO", "POST")[0] == 400
    assert ask("/api/processes/api/signal", "POST")[0] == 400


def test_logs(ask: Ask, host: Hosted) -> None:
    """The last records as they stand on stdout."""
    code, text = ask("/api/processes/api/logs?lines=1000", "GET")
    assert code == 200
    assert "msg=hello name=api out=stdout pid=" in text
    assert set(text.splitlines()) <= set(host.out.read_text().splitlines())


def test_events(ask: Ask) -> None:
    """What has happened, in order."""
    code, body = ask("/api/events", "GET")
    numbers = [entry["id"] for entry in body["events"]]
    assert (code, numbers) == (200, sorted(numbers))
    kinds = {entry["event"] for entry in body["events"] if entry.get("process") == "api"}
    assert kinds >= {"started", "state"}


def test_reload(ask: Ask, host: Hosted) -> None:
    """An unchanged config changes nothing; a wrong one says where it is wrong, and changes nothing either."""
    code, body = ask("/api/reload", "POST")
    assert (code, body["unchanged"], body["added"], body["restarted"]) == (200, 5, [], {})
    config = host.home / "config.json"
    before = config.read_text()
    try:
        config.write_text(before.replace('"api"', '"a p i"', 1))
        code, body = ask("/api/reload", "POST")
        assert code == 422
        assert body["errors"][0].startswith(f"{config}:1:")
    finally:
        config.write_text(before)


def test_without_the_token(host: Hosted) -> None:
    """Through TCP nobody learns or changes anything without it."""
    for method, target in (
        ("GET", "/api/processes"),
        ("GET", "/api/processes/api/logs?follow"),
        ("GET", "/api/events"),
        ("POST", "/api/processes/api/stop"),
        ("POST", "/api/processes/nobody/stop"),
        ("POST", "/api/reload"),
    ):
        assert host.get(target, method)[0] == 401, target
