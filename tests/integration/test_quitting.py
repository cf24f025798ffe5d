"""How a real procwrap ends the containers beside it: by requests, and by signals in a PID namespace."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from tests.support.hosted import Hosted, free_port, process
from tests.support.namespaces import NAMESPACE, in_namespace
from tests.support.plans import SERVE
from tests.support.servers.beside import Beside, answering, flood, hang, rude

SECRET = "hunter2-hunter2"

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

ARENA = """
./sidecar 600 & one=$!
./bystander 600 & two=$!
"$@" >out 2>err
echo $? >ends
sleep 0.5
kill -KILL $one $two
for pid in $one $two; do wait $pid; echo $? >>ends; done
"""
"""A namespace with two strangers in it: what becomes of them and of procwrap is in the file ``ends``."""


def arena(home: Path, *options: str, script: str = ARENA, namespace: tuple[str, ...] = NAMESPACE) -> Hosted:
    """Run procwrap among strangers, around a command that fails; return it when all is over."""
    for name in ("sidecar", "bystander"):
        shutil.copy("/bin/sleep", home / name)
    prefix = (*namespace, "/bin/sh", "-c", script, "sh")
    words = ("--debug", *options, "--", "/bin/sh", "-c", "exit 5")
    with Hosted(home, None, words, prefix=prefix) as host:
        host.wait()
    return host


def ends(home: Path) -> list[str]:
    """The exit codes of procwrap and of the two strangers."""
    return (home / "ends").read_text().split()


def test_requests(tmp_path: Path) -> None:
    """All are sent at the end of the main process, whatever becomes of the others; its exit code counts."""
    with Beside() as good, Beside(answering(500)) as bad, Beside(rude) as mute, Beside(flood) as flooding:
        gone = f"http://127.0.0.1:{free_port()}/gone"
        options = [f"-g={bad.url}/bad", "-g", f"{mute.url}/mute?token={SECRET}", "--shutdown-http-post", gone]
        options += ["-p", f"{good.url.replace('://', f'://me:{SECRET}@')}/one", f"-p{good.url}/two?a=b"]
        options += [f"--shutdown-http-get={flooding.url}/flood"]
        plan = [process("main", "sleep 0.3; exit 4", main=True), process("a", SERVE)]
        with Hosted(tmp_path, plan, options, {"GENERIC_QUIT_ENDPOINTS": f"{good.url}/three, "}) as host:
            host.until(lambda: "up" in host.lines("a"))
            assert good.heard == []
            assert host.wait() == 4
        assert sorted(heard[:2] for heard in good.heard) == [
            ("POST", "/one"),
            ("POST", "/three"),
            ("POST", "/two?a=b"),
        ]
        assert good.of("/one")[0].headers["authorization"].startswith("Basic ")
        assert [heard[:2] for heard in bad.heard] == [("GET", "/bad")]
        assert [heard.method for heard in (*mute.heard, *flooding.heard)] == ["GET", "GET"]
        assert len(host.said("^POST http://127.0.0.1:.*: 200$")) == 3
        assert len(host.said("cannot ask for the end of a sidecar")) == 4
        assert host.said(r"GET .*/mute\?token=\*\*\*: the connection was closed without an answer")
        assert host.said("POST .*/gone: connection refused")
        assert host.lines("a") == ["up", "bye"]
        assert SECRET not in host.told()


def test_a_sidecar_that_does_not_answer(tmp_path: Path) -> None:
    """Each gets 5 s, all at the same time, and keeps none of the others from hearing."""
    with Beside(hang) as stuck, Beside() as good:
        options = [f"-p{stuck.url}/{number}" for number in range(5)] + ["-p", good.url]
        with Hosted(tmp_path, None, [*options, "--debug", "--", "/bin/sh", "-c", "exit 6"]) as host:
            good.wait_for("/")
            began = time.monotonic()
            assert host.wait() == 6
            assert 3 < time.monotonic() - began < 12
        assert host.err.read_text().count("no answer within 5s") == 5


def test_a_second_signal_hurries(tmp_path: Path) -> None:
    """Who asks again gets the end without those who do not answer."""
    with Beside(hang) as stuck, Hosted(tmp_path, [process("a", SERVE)], ["-g", stuck.url]) as host:
        host.until(lambda: "up" in host.lines("a"))
        host.signal(15)
        stuck.wait_for("/")
        began = time.monotonic()
        assert host.end() == 0
        assert time.monotonic() - began < 4.5
        assert host.said("no time left")


@in_namespace
def test_kill_by_name(tmp_path: Path) -> None:
    """SIGTERM to what runs that executable, and to nothing else."""
    arena(tmp_path, "--shutdown-kill", "sidecar", "--shutdown-kill=nobody", "--shutdown-kill", "sh")
    assert ends(tmp_path) == ["5", "143", "137"]
    said = (tmp_path / "err").read_text()
    assert said.count("sent SIGTERM to") == 1
    assert "no process is called nobody" in said
    assert "no process is called sh but ourselves, or PID 1" in said


@in_namespace
def test_kill_all(tmp_path: Path) -> None:
    """SIGTERM to everybody but ourselves, the shell that started us, and PID 1."""
    script = f"{ARENA}".replace('"$@"', 'sh -c \'"$@"; exit $?\' sh "$@"')
    arena(tmp_path, "--shutdown-kill-all", script=script)
    assert ends(tmp_path) == ["5", "143", "143"]
    assert (tmp_path / "err").read_text().count("sent SIGTERM to") == 2


@in_namespace
def test_kill_all_is_refused_where_it_cannot_be_told_whom_it_means(tmp_path: Path) -> None:
    """One line and exit code 2; nothing was started. Here /proc is that of another namespace."""
    blind = tuple(word for word in NAMESPACE if word != "--mount-proc")
    arena(tmp_path, "--shutdown-kill-all", namespace=blind)
    assert ends(tmp_path) == ["2", "137", "137"]
    assert (tmp_path / "err").read_text().startswith("--shutdown-kill-all: refused, for it might end every ")
