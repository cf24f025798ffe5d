"""Start, stop, restart and signal by an operator, as docs/reference/lifecycle.md promises; real processes."""

from __future__ import annotations

import signal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.support.hosted import Hosted, alive, process
from tests.support.plans import SERVE, SLOW, STUBBORN, restarted, serving
from tests.support.procfs import children_of, eventually, zombies_of

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]


def order(hosted: Hosted, name: str, what: str) -> tuple[int, Any]:
    """Give an order and wait until it was carried out."""
    return hosted.operate("POST", f"/api/processes/{name}/{what}")


def answering(*plan: dict[str, Any], home: Path) -> Hosted:
    """Start a host that takes orders, and wait until it does."""
    hosted = Hosted(home, plan, http=True)
    hosted.until(hosted.control.exists)
    hosted.until(lambda: hosted.get("/ping")[0] == 200)
    return hosted


def test_stop_start_and_restart(tmp_path: Path) -> None:
    """Each is answered when it is done; a stop is for good, and those that depend on it go on."""
    with answering(process("db", SERVE), process("api", SERVE, dependsOn=["db"]), home=tmp_path) as hosted:
        pids = {name: hosted.pid_of(name) for name in ("db", "api")}
        status, body = order(hosted, "db", "stop")
        assert (status, body["state"], alive(pids["db"])) == (200, "stopped", False)
        assert hosted.get("/liveness")[0] == 200
        assert hosted.get("/readiness")[0] == 503
        status, body = order(hosted, "db", "start")
        assert (status, body["state"]) == (200, "running")
        assert body["pid"] not in (pids["db"], None)
        status, again = order(hosted, "db", "restart")
        assert (status, again["state"]) == (200, "running")
        assert again["pid"] not in (body["pid"], None)
        assert hosted.get("/pids")[1]["api"] == pids["api"]
        assert hosted.get("/status?full")[1]["db"]["restarts"] == 0
        assert hosted.lines("db") == ["up", "bye", "up", "bye", "up"]
        assert hosted.end() == 0


def test_the_last_one_may_be_stopped(tmp_path: Path) -> None:
    """Also one whose end would be that of everything: an operator may want it again."""
    with answering(process("a", SERVE, vital=True), process("b", SERVE, main=True), home=tmp_path) as hosted:
        for name in ("a", "b"):
            assert order(hosted, name, "stop")[0] == 200
        for name in ("a", "b"):
            assert order(hosted, name, "start")[1]["state"] == "running"
        assert hosted.end() == 0


def test_what_has_ended_begins_anew(tmp_path: Path) -> None:
    """A job that is done, and one that was given up, whose restarts count from zero again."""
    few = {"maxRestarts": {"count": 1}}
    plan = [process("job", "exit 0"), restarted("sick", "test -e well || exit 3; sleep 600", **few)]
    with answering(process("other", SERVE), *plan, home=tmp_path) as hosted:
        hosted.until(lambda: hosted.get("/status?full")[1]["sick"]["state"] == "failed")
        assert order(hosted, "job", "start")[0] == 200
        assert len(hosted.pids_of("job")) == 2
        (tmp_path / "well").touch()
        assert order(hosted, "sick", "start")[1]["state"] == "running"
        assert hosted.end() == 0


def test_what_does_not_come_up_is_said(tmp_path: Path) -> None:
    """With the reason, as an error of the order."""
    plan = [process("a", SERVE), {"name": "b", "entrypoint": "/no/such/file", "restartPolicy": "never"}]
    with answering(*plan, home=tmp_path) as hosted:
        status, body = order(hosted, "b", "start")
        assert status == 409
        assert "b did not come up: " in body["error"]
        assert "no such file" in body["error"].lower()
        assert hosted.end() == 0


def test_a_stubborn_one_is_killed_in_time(tmp_path: Path) -> None:
    """An order has the same grace as any other stop."""
    with answering(process("a", STUBBORN, stopTimeout="300ms"), process("b", SERVE), home=tmp_path) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        assert order(hosted, "a", "restart")[1]["state"] == "running"
        assert hosted.said("did not end within 0.3s: SIGKILL")
        assert hosted.end() == 0


def test_a_signal_reaches_the_group(tmp_path: Path) -> None:
    """And is refused where there is none."""
    with answering(
        process("a", serving("echo told; sleep 600 & wait", "USR1")), process("b", "exit 0"), home=tmp_path
    ) as hosted:
        hosted.until(lambda: hosted.lines("a") == ["up"])
        assert hosted.operate("POST", "/api/processes/a/signal?signal=USR1")[0] == 200
        hosted.until(lambda: "told" in hosted.lines("a"))
        assert hosted.operate("POST", "/api/processes/b/signal?signal=USR1")[0] == 409
        assert hosted.end(signal.SIGINT) == 130


def test_the_later_order_wins(tmp_path: Path) -> None:
    """A stop during a restart: the restart is answered with a conflict, and nothing runs in the end."""
    with answering(process("a", SLOW), process("b", SERVE), home=tmp_path) as hosted:
        hosted.until(lambda: hosted.lines("a") == ["up"])
        answers: list[tuple[int, Any]] = []
        restarting = Thread(target=lambda: answers.append(order(hosted, "a", "restart")))
        restarting.start()
        hosted.until(lambda: "told" in hosted.lines("a"))
        assert order(hosted, "a", "stop")[1]["state"] == "stopped"
        restarting.join()
        assert answers[0][0] == 409
        assert "gave way to a later one to stop it" in answers[0][1]["error"]
        assert hosted.end() == 0


def test_the_shutdown_in_the_middle(tmp_path: Path) -> None:
    """What was being restarted is not started again."""
    with answering(process("a", SLOW), process("b", SERVE), home=tmp_path) as hosted:
        hosted.until(lambda: hosted.lines("a") == ["up"])
        restarting = Thread(target=lambda: order(hosted, "a", "restart"), daemon=True)
        restarting.start()
        hosted.until(lambda: "told" in hosted.lines("a"))
        assert hosted.end() == 0
        assert len(hosted.pids_of("a")) == 1


def test_many_orders_leave_nothing_behind(tmp_path: Path) -> None:
    """A hundred restarts: one process, no zombie."""
    with answering(process("a", "exec sleep 600"), process("b", SERVE), home=tmp_path) as hosted:
        for _ in range(100):
            status, body = order(hosted, "a", "restart")
            assert status == 200
        eventually(lambda: set(children_of(hosted.process.pid)) == {body["pid"], hosted.pid_of("b")})
        assert zombies_of(hosted.process.pid) == []
        assert hosted.end() == 0


def test_the_wrapped_command_takes_signals_only(tmp_path: Path) -> None:
    """It is procwrap's life: whoever wants to stop it stops procwrap."""
    options = ("--http", "on", "--", "/bin/sh", "-c", serving("echo told; exit 3", "USR1"))
    with Hosted(tmp_path, None, options, http=True) as hosted:
        hosted.until(hosted.control.exists)
        hosted.until(lambda: hosted.get("/ping")[0] == 200)
        for what in ("start", "stop", "restart"):
            status, body = order(hosted, "sh", what)
            assert (status, "the one command" in body["error"]) == (409, True)
        assert hosted.operate("POST", "/api/reload")[0] == 409
        assert hosted.operate("POST", "/api/processes/sh/signal?signal=USR1")[0] == 200
        assert hosted.wait() == 3
