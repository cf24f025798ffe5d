"""Thousands of short lives, hundreds at once, and the smallest of writes; real processes."""

from __future__ import annotations

import http.client
import os
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, process, python
from tests.support.plans import QUICK
from tests.support.procfs import status, zombies_of

pytestmark = [pytest.mark.integration, pytest.mark.alone, pytest.mark.usefixtures("nothing_left")]

LONG = os.environ.get("PROCWRAP_LONG") == "1"
"""Run what takes minutes in its full size."""

RUNS = 50 if LONG else 8
GROWTH = 20_000
"""KB by which procwrap's memory may grow."""


class Asking:
    """Asks for /liveness in the background, again and again, on one connection; a context manager.

    Attributes:
        took: seconds until each answer.
    """

    def __init__(self, hosted: Hosted) -> None:
        self.took: list[float] = []
        self._port = hosted.port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def p99(self) -> float:
        """The time in which 99 of 100 answers came."""
        return sorted(self.took)[len(self.took) * 99 // 100]

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._over.wait(0.02):
            began = time.monotonic()
            connection.request("GET", "/liveness")
            connection.getresponse().read()
            self.took.append(time.monotonic() - began)
        connection.close()


def footprint(hosted: Hosted) -> tuple[int, int, list[int]]:
    """Return procwrap's descriptors, its resident memory in KB, and the zombies it has left."""
    pid = hosted.process.pid
    return len(os.listdir(f"/proc/{pid}/fd")), int(status(pid)["VmRSS"].split()[0]), zombies_of(pid)


def idle(**settings: Any) -> dict[str, Any]:
    """Return the config of a process that keeps procwrap from ending."""
    return process("idle", "exec sleep 600", **settings)


def count(hosted: Hosted, pattern: bytes) -> int:
    """Return how often a pattern is in the log."""
    return len(re.findall(pattern, hosted.out.read_bytes()))


def serving(hosted: Hosted) -> Hosted:
    """Wait until HTTP is served."""
    hosted.until(lambda: b" process=idle" in hosted.out.read_bytes())
    assert hosted.get("/ping")[0] == 200
    return hosted


def test_thousands_of_short_lives(tmp_path: Path) -> None:
    """200 processes, each started again and again: every line, every end; nothing is left, nothing grows."""
    go = tmp_path / "go"
    lives = {
        "name": "p",
        "entrypoint": "/bin/echo",
        "args": ["a short life"],
        "replicas": 200,
        "restartPolicy": "always",
        "restartBackoff": QUICK,
        "maxRestarts": {"count": RUNS - 1, "period": "1h"},
        "dependsOn": [{"name": "gate", "condition": "completed"}],
    }
    gate = process("gate", f"until [ -e {go} ]; do sleep 0.05; done")
    with Hosted(tmp_path, [idle(), gate, lives], http=True) as hosted:
        before = footprint(serving(hosted))
        with Asking(hosted) as asking:
            go.touch()
            hosted.until(lambda: count(hosted, rb"failed: given up after") == 200, 120)
        after = footprint(hosted)
        assert hosted.end() == 0
    assert count(hosted, rb'msg="a short life" name=p_\d+ out=stdout') == 200 * RUNS
    assert count(hosted, rb'msg="exit code 0" name=procwrap process=p_') == 200 * RUNS
    assert after[0] <= before[0] + 5
    assert after[1] <= before[1] + GROWTH
    assert after[2] == []
    assert len(asking.took) > 20
    assert asking.p99 < 0.5


def test_two_hundred_end_in_the_same_instant(tmp_path: Path) -> None:
    """Each with its own last words, of which nothing is lost, and its own exit code."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    held = os.open(fifo, os.O_RDWR)
    plan = [
        process(f"p{code}", f"read x <{fifo}; echo over {code}; printf last >&2; exit {code}")
        for code in range(200)
    ]
    try:
        with Hosted(tmp_path, [idle(), *plan], http=True) as hosted:
            hosted.until(lambda: count(hosted, rb"msg=started name=procwrap") == 201)
            before = footprint(serving(hosted))
            with Asking(hosted) as asking:
                os.write(held, b"\n" * 200)
                hosted.until(lambda: count(hosted, rb'msg="exit code \d+"') == 200)
            after = footprint(hosted)
            assert hosted.end() == 0
    finally:
        os.close(held)
    records = hosted.records()
    ends = {r["process"]: r["exit_code"] for r in records if r["msg"].startswith("exit code")}
    words = {r["name"]: r["msg"] for r in records if r.get("out") == "stdout"}
    assert ends == {f"p{code}": str(code) for code in range(200)}
    assert words == {f"p{code}": f"over {code}" for code in range(200)}
    assert count(hosted, rb"msg=last name=p\d+ out=stderr") == 200
    assert after[0] <= before[0] - 395
    assert after[2] == []
    assert asking.p99 < 0.5


def test_one_byte_at_a_time(tmp_path: Path) -> None:
    """Each byte in a write of its own: the lines come whole and in order, and HTTP answers meanwhile."""
    code = """
import os
for number in range(10_000):
    for byte in b"line %d\\n" % number:
        os.write(1, bytes((byte,)))
"""
    with Hosted(tmp_path, [idle(), python("w", code)], http=True) as hosted:
        with Asking(serving(hosted)) as asking:
            hosted.until(lambda: hosted.said("exit code 0"))
        assert hosted.lines("w") == [f"line {number}" for number in range(10_000)]
        assert hosted.end() == 0
    assert asking.p99 < 0.1


def test_five_hundred_that_log_a_bit(tmp_path: Path) -> None:
    """Ten lines a second each: all of them, in order, and HTTP answers meanwhile."""
    script = "i=0; while [ $i -lt 15 ]; do i=$((i+1)); echo line $i; read -t 0.1 x <>%s; done" % (
        tmp_path / "f"
    )
    os.mkfifo(tmp_path / "f")
    talkers = process("p", script, replicas=500, entrypoint="/bin/bash")
    with Hosted(tmp_path, [idle(), talkers], http=True) as hosted:
        with Asking(serving(hosted)) as asking:
            hosted.until(lambda: count(hosted, rb'msg="exit code') == 500, 60)
        assert footprint(hosted)[2] == []
        assert hosted.end() == 0
    lines: dict[str, list[str]] = {}
    for record in hosted.records():
        if record["name"].startswith("p_"):
            lines.setdefault(record["name"], []).append(record["msg"])
    assert len(lines) == 500
    assert set(map(tuple, lines.values())) == {tuple(f"line {number}" for number in range(1, 16))}
    assert asking.p99 < 0.5


def test_children_whose_lines_take_long_to_understand(tmp_path: Path) -> None:
    """Eight that write JSON as fast as they can: HTTP gets its turn all the same."""
    line = b'{"level":"warn","msg":"hello","number":12345,"peer":{"host":"db"}}\n'
    code = f"import os\nlines = {line!r} * 900\nwhile True: os.write(1, lines)"
    with open(os.devnull, "wb") as nowhere:
        plan = [python(f"w{number}", code) for number in range(8)]
        with Hosted(tmp_path, plan, stdout=nowhere, http=True) as hosted:
            # Being up is not yet being served: Klein is imported beside the eight.
            assert hosted.up().get("/ping")[0] == 200
            with Asking(hosted) as asking:
                time.sleep(3)
            assert hosted.end() == 0
    assert len(asking.took) > 20
    assert asking.p99 < 0.1


@pytest.mark.parametrize("many", [10_000 if LONG else 1_000])
def test_so_many_that_end_at_once(tmp_path: Path, many: int) -> None:
    """Processes that end as soon as they are started: it is done when the last one is, and with 0."""
    plan = [{"name": "p", "entrypoint": "/bin/true", "restartPolicy": "never", "replicas": many}]
    with Hosted(tmp_path, plan, http=True) as hosted:
        assert hosted.wait(120) == 0
    assert count(hosted, rb'msg="exit code 0" name=procwrap') == many
