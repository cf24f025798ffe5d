"""A real procwrap beside a real Envoy: it waits until Envoy is LIVE, has it drained, and ends it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.support.hosted import Hosted, free_port, process
from tests.support.plans import SERVE, SLOW, serving
from tests.support.servers.beside import Beside, hang
from tests.support.servers.envoy import Envoy

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

NEVER = ("--", "/bin/sh", "-c", "echo ran")
"""A command that does not run in these tests."""


def test_the_whole_life(tmp_path: Path) -> None:
    """Nothing starts before Envoy is LIVE; its listeners go before the processes do; it goes last."""
    with Envoy(tmp_path) as envoy:
        options = ("--envoy-wait", envoy.admin, "--envoy-drain", f"--envoy-quit={envoy.admin}")
        drains = {"ENVOY_DRAIN_URL": f"{envoy.admin}/drain_listeners"}
        plan = [process("a", SLOW), process("b", SERVE, dependsOn=["a"])]
        with Hosted(tmp_path, plan, options, drains) as host:
            host.until(
                lambda: host.said(r"waiting: Envoy is not LIVE: http://127\.0\.0\.1:\d+/server_info: ")
            )
            assert host.lines("a") == []
            envoy.start()
            host.up()
            host.until(lambda: host.lines("a") == host.lines("b") == ["up"])
            host.until(lambda: host.said("Envoy is LIVE"))
            assert envoy.serves()
            host.signal(signal.SIGTERM)
            host.until(lambda: host.lines("a") == ["up", "told"])
            assert not envoy.serves()
            assert envoy.process is not None
            assert envoy.process.poll() is None
            assert host.wait() == 0
            assert envoy.ended() == 0
            said = host.lines("procwrap")
            drained, asked = said.index("Envoy drains its listeners"), len(host.said("quitquitquit: 200"))
            assert (drained > said.index("shutting down: SIGTERM"), asked) == (True, 1)
            assert drained < min(number for number, line in enumerate(said) if "stopping" in line)


def test_a_job_with_the_variables_of_scuttle(tmp_path: Path) -> None:
    """Its exit code is the job's, and Envoy has ended; nobody sees more than the job's own output."""
    with Envoy(tmp_path) as envoy:
        words = ("--", "/bin/sh", "-c", "echo done; exit 3")
        with Hosted(tmp_path, None, words, {"ENVOY_ADMIN_API": envoy.admin}) as host:
            time.sleep(0.5)
            assert host.out.read_text() == ""
            envoy.start()
            assert host.wait() == 3
        assert envoy.ended() == 0
        assert (host.out.read_text(), host.err.read_text()) == ("done\n", "")


def test_a_failed_job_may_leave_envoy_alone(tmp_path: Path) -> None:
    """NEVER_KILL_ISTIO_ON_FAILURE; so does NEVER_KILL_ISTIO after a success."""
    for variable, code in (("NEVER_KILL_ISTIO_ON_FAILURE", 3), ("NEVER_KILL_ISTIO", 0)):
        with Beside() as envoy:
            variables = {"ISTIO_QUIT_API": envoy.url, variable: "true"}
            words = ("--", "/bin/sh", "-c", f"exit {code}")
            with Hosted(tmp_path, None, words, variables) as host:
                assert host.wait() == code
            assert envoy.heard == []


@pytest.mark.parametrize(
    ("variable", "code", "output"),
    [("QUIT_WITHOUT_ENVOY_TIMEOUT", 1, ""), ("WAIT_FOR_ENVOY_TIMEOUT", 0, "ran\n")],
)
def test_an_envoy_that_never_comes(tmp_path: Path, variable: str, code: int, output: str) -> None:
    """In the end, as asked, everything ends with 1 and the command never runs, or it runs all the same."""
    variables = {
        "ENVOY_ADMIN_API": f"http://127.0.0.1:{free_port()}",
        "NEVER_KILL_ISTIO": "true",
        variable: "400ms",
    }
    with Hosted(tmp_path, None, NEVER, variables) as host:
        assert host.wait() == code
        assert host.out.read_text() == output
        assert ("connection refused, for 0.4s" in host.err.read_text()) == bool(code)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_while_it_waits(tmp_path: Path, number: int, code: int) -> None:
    """Ends it at once, and the command never runs."""
    with Beside(hang) as envoy, Hosted(tmp_path, None, ("--envoy-wait", envoy.url, *NEVER)) as host:
        envoy.wait_for("/server_info")
        began = time.monotonic()
        assert host.end(number) == code
        assert time.monotonic() - began < 5
        assert host.out.read_text() == ""


def test_an_envoy_that_does_not_answer(tmp_path: Path) -> None:
    """A wrapped command gets its signal at once, however long Envoy takes; the end waits 3 s at most."""
    words = ("--debug", "--envoy-drain", "--", "/bin/sh", "-c", serving("date +%s.%N; exit 0"))
    with Beside(hang) as envoy:
        with Hosted(tmp_path, None, words, {"ENVOY_DRAIN_URL": f"{envoy.url}/drain"}) as host:
            host.until(lambda: host.out.read_text() == "up\n")
            asked = time.time()
            began = time.monotonic()
            assert host.end() == 0
            took = time.monotonic() - began
        assert float(host.out.read_text().split()[1]) - asked < 2
        assert took < 10
        assert [heard.method for heard in envoy.heard] == ["POST"]
        warned = [line for line in host.err.read_text().splitlines() if "cannot drain Envoy" in line]
        assert len(warned) == 1
        assert "no answer within 3s" in warned[0]
