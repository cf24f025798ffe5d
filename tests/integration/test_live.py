"""What happens, seen by those who follow it over real connections."""

from __future__ import annotations

import json
import os
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.following import Told
from tests.support.hosted import Hosted, process, python
from tests.support.listener import Listener
from tests.support.procfs import status

pytestmark = pytest.mark.integration

TOKEN = "s3cret-of-the-tests"
SLEEPERS = [f"sleeper{number}" for number in range(12)]
OTHERS = ["first", "second"]
PRINTER = """
import os, time
while not os.path.exists({gate!r}): time.sleep(0.01)
print("\\n".join("%06d {line}" % number for number in range({lines})), flush=True)
time.sleep(1000)
"""


def printer(name: str, gate: Path, lines: int, width: int = 40) -> dict[str, Any]:
    """A process that prints numbered lines in one go when there is a file."""
    return python(name, PRINTER.format(gate=str(gate), lines=lines, line="x" * width))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """A host that all tests share which leave it as it was."""
    home = tmp_path_factory.mktemp("live")
    plan = [
        *(process(name, "exec sleep 1000", restartPolicy="always") for name in [*SLEEPERS, *OTHERS]),
        printer("ten-thousand", home / "go", 10_000),
        printer("flood", home / "flood", 100_000, 90),
    ]
    with Hosted(home, plan, http=True, environment={"PROCWRAP_API_TOKEN": TOKEN}) as hosted:
        yield hosted.up()


def memory(host: Hosted) -> int:
    """Return how many bytes of memory procwrap holds."""
    return int(status(host.process.pid)["VmRSS"].split()[0]) * 1024


def kill(host: Hosted, name: str) -> int:
    """Kill a process, and return its pid."""
    pid = int(host.get("/pids")[1][name])
    os.kill(pid, signal.SIGKILL)
    return pid


def is_without(name: str, pid: int) -> Any:
    """Return what knows the event that a process has no longer this pid."""

    def seen(told: Told) -> bool:
        shown = told.json["process"] if told.kind == "process" else {"name": ""}
        return bool(shown["name"] == name and shown["pid"] != pid)

    return seen


@pytest.mark.alone
def test_a_change_is_seen_at_once(host: Hosted) -> None:
    """What happens to a process is told within 200 ms."""
    took = []
    with Listener(host.port, "/live") as page:
        snapshot = page.until(lambda told: told.kind == "snapshot").json
        assert [shown["name"] for shown in snapshot["processes"]][: len(SLEEPERS)] == SLEEPERS
        for name in SLEEPERS:
            pids = host.get("/pids")[1]
            began = time.monotonic()
            os.kill(pids[name], signal.SIGKILL)
            page.until(is_without(name, pids[name]))
            took.append(time.monotonic() - began)
    assert statistics.median(took) <= 0.2, took


def test_a_hundred_followers(host: Hosted) -> None:
    """All are told; one more is asked to come again later, and there is room when others have vanished."""
    with ExitStack() as stack:
        pages = [stack.enter_context(Listener(host.port, "/live")) for _ in range(100)]
        for page in pages:
            page.until(lambda told: told.kind == "snapshot")
        assert stack.enter_context(Listener(host.port, "/live")).status == 503
        pid = kill(host, "first")
        for page in pages:
            page.until(is_without("first", pid))
        for page in pages[::2]:
            page.vanish()
        host.until(lambda: stack.enter_context(Listener(host.port, "/live")).status == 200)


def test_ten_thousand_lines(host: Hosted) -> None:
    """Who reads misses none of what a process prints in one go, over TCP and through the control socket."""
    target = "/api/processes/ten-thousand/logs?follow"
    with Listener(host.port, target, TOKEN) as remote, Listener(host.control, target) as local:
        assert (remote.status, local.status) == (200, 200)
        (host.home / "go").touch()
        for follower in (remote, local):
            follower.until(lambda told: "009999" in told.data)
            lines = "\n".join(told.data for told in follower.told).splitlines()
            assert {told.kind for told in follower.told} == {"message"}
            assert [line.partition("msg=")[2][1:7] for line in lines] == [f"{n:06}" for n in range(10_000)]


def test_one_who_does_not_read(host: Hosted) -> None:
    """It costs little memory, nobody waits for it, and it is told how much it has missed."""
    with ExitStack() as stack:
        target = "/api/processes/flood/logs?follow"
        slow = [stack.enter_context(Listener(host.port, target, TOKEN, room=4096)) for _ in range(20)]
        assert {follower.status for follower in slow} == {200}
        before = memory(host)
        (host.home / "flood").touch()
        host.until(lambda: b"099999 " in host.out.read_bytes()[-1_000_000:])
        assert memory(host) - before < 40 << 20
        counts = []

        def is_all(told: Told) -> bool:
            counts.append(int(told.data) if told.kind == "dropped" else told.data.count("\n") + 1)
            return sum(counts) == 100_000

        slow[0].until(is_all)
        assert sum(counts) == 100_000
        assert "dropped" in {told.kind for told in slow[0].told}


def test_resuming(host: Hosted) -> None:
    """Who was cut off gets everything that has happened meanwhile, and nothing twice."""
    with Listener(host.port, "/api/events?follow", TOKEN) as first:
        last = first.until(lambda told: told.kind == "lifecycle")
    pid = kill(host, "second")
    host.until(lambda: host.get("/pids")[1].get("second", pid) != pid)
    with Listener(host.port, "/api/events?follow", TOKEN, last=last.id) as second:
        second.until(lambda told: told.json.get("pid") == pid and told.json["event"] == "ended")
        second.until(lambda told: told.json.get("process") == "second" and told.json["event"] == "started")
        numbers = [int(told.id) for told in second.told]
    assert numbers == list(range(int(last.id) + 1, int(last.id) + 1 + len(numbers)))


def test_a_reload(tmp_path: Path) -> None:
    """Processes that it adds and removes come and go; the log of one that is gone has an end."""
    stays, goes, comes = (process(name, "exec sleep 1000") for name in ("stays", "goes", "comes"))
    with Hosted(tmp_path, [stays, goes], http=True) as host, ExitStack() as stack:
        host.up()
        page = stack.enter_context(Listener(host.control, "/live"))
        log = stack.enter_context(Listener(host.control, "/api/processes/goes/logs?follow"))
        page.until(lambda told: told.kind == "snapshot")
        assert log.status == 200
        (tmp_path / "config.json").write_text(json.dumps([stays, comes]))
        code, changes = host.operate("POST", "/api/reload")
        assert (code, changes["added"], changes["removed"]) == (200, ["comes"], ["goes"])
        page.until(lambda told: told.kind == "gone" and told.json == {"name": "goes"})
        page.until(
            lambda told: (
                told.kind == "process"
                and (told.json["process"]["name"], told.json["process"]["state"]) == ("comes", "running")
            )
        )
        log.end()
        kinds = {entry["event"] for entry in host.operate("GET", "/api/events")[1]["events"]}
        assert kinds >= {"reloaded", "removed"}


@pytest.mark.usefixtures("nothing_left")
def test_the_end(tmp_path: Path) -> None:
    """Followers see how the processes are stopped, then the end of their answers, and delay nothing."""
    plan = [process("api", "trap 'sleep 0.3; exit 0' TERM; while :; do sleep 0.05; done")]
    environment = {"PROCWRAP_API_TOKEN": TOKEN}
    with Hosted(tmp_path, plan, http=True, environment=environment) as host, ExitStack() as stack:
        host.up()
        targets = ["/live", "/api/events?follow", "/api/processes/api/logs?follow"]
        followers = [stack.enter_context(Listener(host.port, target, TOKEN)) for target in targets * 5]
        assert {follower.status for follower in followers} == {200}
        began = time.monotonic()
        assert host.end() == 0
        assert time.monotonic() - began < 5
        told = [follower.rest() for follower in followers]
        assert all(follower.is_whole for follower in followers)
    states = [each.json["process"]["state"] for each in told[0] if each.kind == "process"]
    assert "stopping" in states
    assert any(each.kind == "host" and each.json["shutdown"] for each in told[0])
    assert told[1][-1].json["state"] == "stopped"
