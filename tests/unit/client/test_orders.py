from __future__ import annotations

import json
from typing import Any

import pytest

from procwrap.client import orders
from procwrap.client.host import Answer
from procwrap.errors import NoHostError, UsageError
from tests.support.client import Hands, SpokenHost, Tried, fleet, try_out, view


def done(
    name: str, state: str = "running", pid: int | None = 31, reason: str = "", status: int = 200
) -> Answer:
    """Return what a host says about an order."""
    return Answer(status, {"name": name, "state": state, "pid": pid, "reason": reason})


def tried(line: str, says: dict[str, Any] | SpokenHost) -> Tried:
    """Give an order."""
    return try_out(orders.run, line, says)


@pytest.mark.parametrize("order", ["start", "stop", "restart"])
def test_an_order(order: str) -> None:
    """It waits as long as it takes, and tells what came of it."""
    host = SpokenHost({f"POST /api/processes/api/{order}": done("api")})
    found = tried(f"{order} api", host)
    assert (found.code, found.out, found.err) == (0, "api: running, pid 31\n", "")
    assert host.longer is None


def test_what_came_of_it() -> None:
    """State, pid and reason; a reason that holds the state is enough."""
    says = {
        "POST /api/processes/a/stop": done("a", "stopped", None, "stopped: ended by SIGTERM"),
        "POST /api/processes/b/stop": done("b", "failed", None, "exit code 7\x1b"),
    }
    assert tried("stop a", says).out == "a: stopped: ended by SIGTERM\n"
    assert tried("stop b", says).out == "b: failed: exit code 7\\x1b\n"


def test_several_at_once() -> None:
    """Each is asked for once, and has its line."""
    host = SpokenHost({f"POST /api/processes/{name}/stop": done(name, "stopped", None) for name in "abc"})
    found = tried("stop a b c a", host)
    assert sorted(found.out.splitlines()) == ["a: stopped", "b: stopped", "c: stopped"]
    assert len(host.asked) == 3


def test_not_to_wait() -> None:
    """The answer comes at once, and what it says is enough."""
    host = SpokenHost({"POST /api/processes/a/start?wait=false": done("a", "starting", 31, status=202)})
    found = tried("start a --no-wait", host)
    assert (found.code, found.out) == (0, "a: starting, pid 31\n")
    assert host.longer == 0.0


def test_not_to_wait_for_ever() -> None:
    """What is not done in time is an error, and goes on."""
    host = SpokenHost({"POST /api/processes/a/start?wait=1.500s": done("a", "starting", 31, "no route", 202)})
    found = tried("start a --timeout 1.5s", host)
    assert (found.code, found.out) == (1, "")
    assert found.err == "a: not done within 1.5s: starting, pid 31: no route\n"
    assert host.longer == 1.5


def test_the_host_says_no() -> None:
    """It says why, and the others are done all the same."""
    says = {
        "POST /api/processes/a/start": Answer(409, {"error": "procwrap is shutting down"}),
        "POST /api/processes/b/start": done("b"),
    }
    found = tried("start a b", says)
    assert (found.code, found.out, found.err) == (1, "b: running, pid 31\n", "a: procwrap is shutting down\n")


def test_what_begins_with_the_name() -> None:
    """It is not said twice of whom it is."""
    says = {"POST /api/processes/a/start": Answer(409, {"error": "a did not come up: exit code 3"})}
    assert tried("start a", says).err == "a did not come up: exit code 3\n"


def test_no_room_for_an_order() -> None:
    """It is given again until there is, for ten seconds at most; one that is not let in is told at once."""
    full = Answer(503, {"error": "too many waiting requests"}, is_busy=True)
    answers = [full, full, done("a")]
    hands = Hands()
    says = {
        "POST /api/processes/a/stop": lambda: answers.pop(0),
        "POST /api/processes/b/stop": full,
        "POST /api/processes/c/stop": full._replace(is_busy=False),
    }
    assert try_out(orders.run, "stop a", says, hands=hands).out == "a: running, pid 31\n"
    assert len(hands.slept) == 2
    found = try_out(orders.run, "stop b", says, hands=hands)
    assert (found.code, found.err) == (1, "b: too many waiting requests\n")
    assert sum(hands.slept) == pytest.approx(0.5 + orders.BUSY)
    assert (tried("stop c", says).code, len(hands.slept)) == (1, 42)


@pytest.mark.parametrize("name", ["wroker", "../reload", ".", "wörker", "a/b", "a?b"])
def test_a_name_of_nobody(name: str) -> None:
    """Whatever it is, it reaches no other route, and the right one is shown."""
    says = {
        "/api/processes": fleet(view("worker")),
        "POST /api/processes/wroker/start": Answer(404, {"error": "no"}),
    }
    found = tried(f"start -- {name}", says)
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith(f'no process is called "{name}": ')
    assert "worker" in found.err


def test_json() -> None:
    """A line for each, also for those that were refused."""
    says = {
        "POST /api/processes/a/start": Answer(409, {"error": "no"}),
        "POST /api/processes/b/start": done("b"),
    }
    found = tried("start a b --json", says)
    lines = sorted(map(json.loads, found.out.splitlines()), key=lambda each: str(each["name"]))
    assert lines == [{"name": "a", "error": "no"}, dict(done("b").document)]
    assert (found.code, found.err) == (1, "")


@pytest.mark.parametrize("word", ["HUP", "sighup", "1", "SigHup"])
def test_a_signal(word: str) -> None:
    """Its name in any case, with or without SIG, or its number."""
    host = SpokenHost({f"POST /api/processes/api/signal?signal={word.upper()}": done("api")})
    found = tried(f"signal {word} api", host)
    assert (found.code, found.out) == (0, f"api: sent {word.upper()}\n")
    assert host.longer == 0.0


def test_a_realtime_signal() -> None:
    """The plus in its name arrives as one."""
    host = SpokenHost({"POST /api/processes/api/signal?signal=SIGRTMIN%2B3": done("api")})
    assert tried("signal SIGRTMIN+3 api", host).out == "api: sent SIGRTMIN+3\n"


@pytest.mark.parametrize("word", ["HUB", "0x1", "99", "H&wait=1"])
def test_no_signal(word: str) -> None:
    """Nobody is asked."""
    with pytest.raises(
        UsageError, match=r"^procwrap signal .*: expected a signal such as SIGTERM or 15, got "
    ):
        tried(f"signal {word} api", {})


def test_a_host_that_goes_away() -> None:
    """What was done until then is told, and the exit code is that of no host."""
    says = {"POST /api/processes/a/stop": NoHostError("it has gone"), "POST /api/processes/b/stop": done("b")}
    found = tried("stop a b", says)
    assert (found.code, found.out, found.err) == (3, "b: running, pid 31\n", "a: it has gone\n")


def test_a_mistake_of_ours_is_not_hidden() -> None:
    """It reaches whoever can mend it."""
    with pytest.raises(KeyError):
        tried("stop a b", {})
