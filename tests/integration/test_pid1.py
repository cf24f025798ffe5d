"""The duties of PID 1, in a PID namespace of its own, and those of a subreaper."""

from __future__ import annotations

import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, process, python
from tests.support.namespaces import NAMESPACE, in_namespace
from tests.support.plans import SERVE, serving
from tests.support.procfs import children_of, eventually, kill, status, zombies_of

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]


ORPHANS = """
import os, sys
reading, writing = os.pipe()
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(3)
print("forked", flush=True)
while not os.path.exists(sys.argv[2]):
    pass
"""
"""Makes many children, and with its own end makes all of them orphans that end at the same moment."""

STRAYS = """
import os, sys
for _ in range(100):
    if os.fork() == 0:
        open(sys.argv[1]).read()
        os._exit(0)
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Becomes another program, which has 100 children unknown to it; they end at the same moment."""


class First(Hosted):
    """procwrap as PID 1; signals go there and not to unshare(1)."""

    def __init__(
        self,
        home: Path,
        plan: Sequence[Mapping[str, Any]] | None,
        before: Sequence[str] = (),
        **settings: Any,
    ) -> None:
        super().__init__(home, plan, prefix=(*NAMESPACE, *before), **settings)

    @property
    def pid(self) -> int:
        """The pid of PID 1 as it is seen from here."""
        return int(eventually(lambda: children_of(self.process.pid))[0])

    def __enter__(self) -> First:
        return self

    def signal(self, number: int) -> None:
        """Send a signal to PID 1."""
        os.kill(self.pid, number)

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            # With it, its whole namespace ends.
            kill(*children_of(self.process.pid))
        super().__exit__(*error)


def longest_stays(pid: int, over: Callable[[], bool]) -> list[float]:
    """Watch the zombies of a process until something is true; return how long each of them was seen."""
    since: dict[int, float] = {}
    stays: dict[int, float] = {}
    while not over():
        now = time.monotonic()
        for zombie in zombies_of(pid):
            stays[zombie] = now - since.setdefault(zombie, now)
        time.sleep(0.005)
    return list(stays.values())


@in_namespace
def test_two_thousand_orphans(tmp_path: Path) -> None:
    """1 s after they have ended no zombie is left, and every process's own exit status is the right one."""
    go = tmp_path / "go"
    codes = {f"p{code}": code for code in range(1, 16)}
    plan = [
        process(name, f"until [ -e {go} ]; do sleep 0.05; done; exit {code}") for name, code in codes.items()
    ]
    forker = {**python("forker", ""), "args": ["-c", ORPHANS, "2000", str(go)]}
    with First(tmp_path, [process("a", SERVE), forker, *plan]) as hosted:
        hosted.until(lambda: hosted.lines("forker") == ["forked"])
        pid = hosted.pid
        go.touch()
        hosted.until(lambda: len(hosted.said("exit code")) == len(codes) + 1)
        eventually(lambda: not [1 for child in children_of(pid) if status(child).get("State", "Z")[0] == "R"])
        time.sleep(1)
        assert zombies_of(pid) == []
        assert len(children_of(pid)) == 1
        ends = {
            record["process"]: int(record["exit_code"])
            for record in hosted.records()
            if "exit_code" in record
        }
        assert ends == {**codes, "forker": 0}
        assert hosted.end() == 0
        assert hosted.lines("a") == ["up", "bye"]


@in_namespace
def test_what_was_there_before(tmp_path: Path) -> None:
    """Children of the script that has become procwrap by exec: no zombie stays, however many they are."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    before = ("--", sys.executable, "-c", STRAYS, str(fifo))
    with First(tmp_path, [process("a", SERVE)], before=before) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        pid = hosted.pid
        assert len(children_of(pid)) == 101
        os.close(os.open(fifo, os.O_WRONLY))
        began = time.monotonic()
        eventually(lambda: len(children_of(pid)) == 1)
        assert time.monotonic() - began < 1
        assert hosted.end() == 0


@in_namespace
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_its_end(tmp_path: Path, number: int, code: int) -> None:
    """The kernel keeps from PID 1 what it has no handler for: ours are all there."""
    with First(tmp_path, [process("a", SERVE)]) as hosted:
        hosted.until(lambda: hosted.lines("a"))
        assert hosted.end(number) == code
        assert hosted.lines("a") == (["up", "bye"] if code == 0 else ["up"])
        assert hosted.err.read_bytes() == b""


@in_namespace
def test_the_code_of_the_main_process(tmp_path: Path) -> None:
    """It is the container's."""
    with First(tmp_path, [process("a", "sleep 0.2; exit 7", main=True), process("b", SERVE)]) as hosted:
        assert hosted.wait() == 7
        assert hosted.lines("b") == ["up", "bye"]


@in_namespace
def test_a_wrapped_command(tmp_path: Path) -> None:
    """Its orphans are reaped while it runs, its signals arrive, its code is delivered."""
    script = f"{sys.executable} -c '{ORPHANS}' 50 /; {serving('exit 5')}"
    with First(tmp_path, None, options=("--", "/bin/sh", "-c", script)) as hosted:
        hosted.until(lambda: hosted.out.read_text() == "forked\nup\n")
        pid = hosted.pid
        eventually(lambda: len(children_of(pid)) == 1)
        assert hosted.end() == 5
        assert hosted.err.read_bytes() == b""


def test_orphans_of_a_subreaper(tmp_path: Path) -> None:
    """Elsewhere it adopts what its descendants leave behind, and reaps it as soon as it has ended."""
    mark = tmp_path / "orphans"
    orphan = f"sleep 0.5; for i in 1 2 3 4 5; do setsid sh -c 'echo $$ >> {mark}; sleep 0.'$i & done; exit 0"
    with Hosted(tmp_path, [process("a", SERVE), process("b", orphan)]) as hosted:
        hosted.until(lambda: mark.exists() and len(mark.read_text().split()) == 5)
        hosted.until(lambda: hosted.said("exit code 0"))
        pid = hosted.process.pid
        assert any(status(orphan).get("PPid") == str(pid) for orphan in mark.read_text().split())
        stays = longest_stays(pid, lambda: len(children_of(pid)) == 1)
        assert statistics.median([*stays, 0.0]) < 0.1
        assert hosted.end() == 0


def test_many_ends_at_once_are_told_apart(tmp_path: Path) -> None:
    """Sixty processes and a hundred orphans that end in the same moment: each code is the right one."""
    go = tmp_path / "go"
    codes = {f"p{code}": code for code in range(60)}
    plan = [
        process(name, f"until [ -e {go} ]; do sleep 0.05; done; exit {code}") for name, code in codes.items()
    ]
    forker = {**python("forker", ""), "args": ["-c", ORPHANS, "100", str(go)]}
    with Hosted(tmp_path, [process("a", SERVE), forker, *plan]) as hosted:
        hosted.until(lambda: hosted.lines("forker") == ["forked"])
        go.touch()
        hosted.until(lambda: len(hosted.said("exit code")) == len(codes) + 1)
        ends = {
            record["process"]: int(record["exit_code"])
            for record in hosted.records()
            if "exit_code" in record
        }
        assert ends == {**codes, "forker": 0}
        pid = hosted.process.pid
        eventually(lambda: len(children_of(pid)) == 1)
        assert hosted.end() == 0
