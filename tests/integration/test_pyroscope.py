"""procwrap under Pyroscope's own agent, with servers of every manner."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from procwrap import __version__
from procwrap.pod.pyroscopelook import look
from procwrap.probes.wording import trouble
from procwrap.spec.profiling import Profiling
from tests.support.hosted import Hosted, free_port, process
from tests.support.plans import SERVE, serving
from tests.support.servers.pyroscope import Pyroscope
from tests.support.servers.targets import Manner, Target, answering, rude

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

SECRET = "s3cret"
PROCWRAP = (sys.executable, "-m", "procwrap")
TWISTD = (
    *(sys.executable, "-c", "from twisted.scripts.twistd import run; run()"),
    *("-n", "--pidfile=", "procwrap"),
)
TALKS = process("talks", "while :; do echo hello; done")
"""Keeps procwrap busy, so that there is something to be profiled."""
SLOWLY = process("slowly", serving("sleep 1.2; exit 0"))
"""Takes its time when it is told to stop, so that a last profile can be sent meanwhile."""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Everything that is entered is left again."""
    with ExitStack() as entered:
        yield entered


def url(port: int) -> str:
    """The option, with a login."""
    return f"--pyroscope-url=http://me:{SECRET}@127.0.0.1:{port}/prefix/"


def until_profiled(hosted: Hosted) -> None:
    """Wait until the agent's threads are there and have seen something."""
    hosted.until(lambda: any(name.startswith("reqwest") for name in threads(hosted.process.pid)))
    time.sleep(1.0)


def threads(pid: int) -> list[str]:
    """The names of the threads of a process."""
    return [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/comm")]


def test_profiles_arrive(stack: ExitStack, tmp_path: Path) -> None:
    """With their tags and the login; the last one when the end begins, and the exit code is what it was."""
    server = stack.enter_context(Pyroscope())
    hosted = stack.enter_context(Hosted(tmp_path, [TALKS, SLOWLY], [url(server.port)]))
    until_profiled(hosted)
    assert hosted.end() == 0
    tags = (b"procwrap", b"hostname", socket.gethostname().encode(), b"version", __version__.encode())
    assert any(all(tag in profile for tag in tags) for profile in server.profiles)
    assert set(server.paths) == {"/prefix/push.v1.PusherService/Push"}
    assert set(server.logins) == {"Basic bWU6czNjcmV0"}
    assert SECRET not in hosted.told()
    assert hosted.err.read_bytes() == b""


def test_nobody_takes_them(stack: ExitStack, tmp_path: Path) -> None:
    """One warning, and neither processor time nor a later end: whatever is wrong with the server."""
    unwilling = stack.enter_context(Pyroscope(401))
    wrong = {"connection refused": free_port(), "401, expected 200": unwilling.port}
    hosts = {}
    for number, (reason, port) in enumerate(wrong.items()):
        home = tmp_path / str(number)
        home.mkdir()
        hosts[reason] = stack.enter_context(Hosted(home, [process("a", SERVE)], [url(port)])).up()
    before = {reason: cpu_seconds(hosted.process.pid) for reason, hosted in hosts.items()}
    for reason, hosted in hosts.items():
        hosted.until(partial(hosted.said, "profiles"))
        assert cpu_seconds(hosted.process.pid) - before[reason] < 1.0
        where = f"http://127.0.0.1:{wrong[reason]}/prefix"
        assert hosted.said("profiles") == [
            f"{where} does not take profiles: {reason}; they are lost until it does"
        ]
        began = time.monotonic()
        assert hosted.end() == 0
        assert time.monotonic() - began < 3
        assert SECRET not in hosted.told()
        assert hosted.err.read_bytes() == b""


@pytest.mark.parametrize("program", [PROCWRAP, TWISTD], ids=["procwrap", "twistd"])
def test_a_server_that_hangs(stack: ExitStack, tmp_path: Path, program: tuple[str, ...]) -> None:
    """The agent would wait for ten seconds at the end; procwrap does not."""
    server = stack.enter_context(Pyroscope(0))
    plan, options = [TALKS, SLOWLY], [url(server.port)]
    hosted = stack.enter_context(Hosted(tmp_path, plan, options, program=program))
    until_profiled(hosted)
    began = time.monotonic()
    assert hosted.end() == 0
    assert time.monotonic() - began < 5
    assert server.profiles, "it was never asked"
    assert b"profile" not in hosted.out.read_bytes()


def test_an_agent_that_is_too_old(tmp_path: Path) -> None:
    """Exit code 2 and one line that says what to install; nothing is started."""
    info = tmp_path / "packages" / "pyroscope_io-0.8.7.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pyroscope-io\nVersion: 0.8.7\n")
    path = f"{info.parent}:{Path(__file__).parents[2]}"
    with Hosted(tmp_path, [TALKS], [url(1)], {"PYTHONPATH": path}) as hosted:
        assert hosted.wait() == 2
    assert hosted.out.read_bytes() == b""
    assert hosted.err.read_text() == (
        "--pyroscope-url needs pyroscope-io 1.2 or newer, not 0.8.7: pip install 'procwrap[pyroscope]'\n"
    )


@pytest.mark.parametrize(
    ("manner", "seen"),
    [
        (answering(b"{}"), ""),
        (answering(b'{"code":"invalid_argument"}', status="400 Bad Request"), ""),
        (answering(b"", status="404 Not Found"), "404, expected 200"),
        (answering(b"", status="503 No"), "503, expected 200"),
        (rude, "remote end closed connection without response"),
        (lambda client, _: client.sendall(b"SSH-2.0-x\r\n\r\n"), "its answer is not HTTP (BadStatusLine)"),
    ],
)
def test_a_look(stack: ExitStack, manner: Manner, seen: str) -> None:
    """Whether it is Pyroscope, and would listen to us; the login is shown to the server alone."""
    server = stack.enter_context(Target(manner))
    asked = Profiling(f"http://127.0.0.1:{server.port}", "me", SECRET)
    assert look(asked, trouble) == seen
    assert b"Authorization: Basic " in server.heads[0]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, as proc(5) has it."""
    words = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
