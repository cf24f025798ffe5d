"""A stdout that is slow, stuck, gone, full, or shared with others; real processes."""

from __future__ import annotations

import fcntl
import http.client
import os
import pty
import re
import select
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.disks import fill, small_disk
from tests.support.hosted import Hosted, process
from tests.support.pipes import pipe
from tests.support.plans import QUICK
from tests.support.procfs import status
from tests.support.streams import LINE_BYTES, Numbers, Reader, taken_from, writer

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

LONG = os.environ.get("PROCWRAP_LONG") == "1"
"""Run what takes minutes in its full size, and hold it to the figures that are promised."""

RATE, SECONDS = (1_000_000, 60) if LONG else (4_000_000, 4)
P99 = 0.010 if LONG else 0.050
GROWTH = 20_000
"""KB by which procwrap's memory may grow."""


def resident(hosted: Hosted) -> int:
    """Return procwrap's resident memory in KB."""
    return int(status(hosted.process.pid)["VmRSS"].split()[0])


def descriptors(hosted: Hosted) -> int:
    """Return how many descriptors procwrap has open."""
    return len(os.listdir(f"/proc/{hosted.process.pid}/fd"))


def crashing(home: Path) -> dict[str, Any]:
    """Return the config of a process that is started again and again; see ``runs``."""
    script = f"echo x >>{home}/runs; echo out; echo err >&2; exit 1"
    return process("crashing", script, restartPolicy="always", restartBackoff=QUICK)


def runs(home: Path) -> int:
    """Return how often ``crashing`` was started."""
    file = home / "runs"
    return file.read_text().count("x") if file.exists() else 0


def ask(hosted: Hosted, seconds: float) -> Iterator[float]:
    """Ask for /liveness 100 times a second; yield how long each answer took."""
    connection = http.client.HTTPConnection("127.0.0.1", hosted.port, timeout=30)
    until = time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        connection.request("GET", "/liveness")
        answer = connection.getresponse()
        answer.read()
        yield time.monotonic() - began
        assert answer.status == 200
        time.sleep(0.01)
    connection.close()


@pytest.mark.alone
def test_a_slow_reader_slows_the_child_and_nothing_else(tmp_path: Path) -> None:
    """A child that writes as fast as it can: memory is bounded, /liveness prompt, and no line is missing."""
    gate, numbers = tmp_path / "gate", Numbers("w")
    child = writer("w", tmp_path, seconds=SECONDS, gate=gate)
    with pipe() as (reading, writing):
        with Hosted(tmp_path, [child], stdout=writing, http=True) as hosted:
            os.close(writing)
            reader = Reader(os.dup(reading), RATE, numbers.take)
            hosted.until(hosted.ready_file.exists)
            assert hosted.get("/liveness")[0] == 200
            before = resident(hosted)
            gate.touch()
            took, peak = [], 0
            for seconds in ask(hosted, SECONDS):
                took.append(seconds)
                peak = max(peak, resident(hosted))
            assert hosted.wait(60) == 0
        reader.everything()
    p99 = sorted(took)[len(took) * 99 // 100]
    figures = f"grew by {peak - before} KB; /liveness p99 {p99 * 1000:.1f} ms, max {max(took) * 1000:.1f} ms"
    sys.stderr.write(f"{figures}\n")
    assert numbers.verdict() == (taken_from(tmp_path, "w") // LINE_BYTES, b"", b"")
    assert numbers.seen * LINE_BYTES > RATE * SECONDS / 4
    assert peak - before < GROWTH
    assert p99 < P99


@pytest.mark.alone
def test_a_reader_that_never_reads(tmp_path: Path) -> None:
    """Probes, restarts and HTTP go on, nothing piles up, and SIGTERM still ends it in time."""
    probe = {"period": "50ms", "failureThreshold": 1, "exec": {"command": {"entrypoint": "/bin/false"}}}
    probed = process("probed", f"echo x >>{tmp_path}/probed; exec sleep 600", liveness=probe,
                     restartPolicy="always", restartBackoff=QUICK)  # fmt: skip
    plan = [writer("w", tmp_path), crashing(tmp_path), probed]
    options = ("--graceful-shutdown-deadline=2s",)
    with pipe() as (_, writing), Hosted(tmp_path, plan, options, stdout=writing, http=True) as hosted:
        hosted.until(lambda: taken_from(tmp_path, "w") > 2_000_000)
        stuck_at = hosted.until(lambda: stays(lambda: taken_from(tmp_path, "w")))
        before = descriptors(hosted), resident(hosted)
        reached = runs(tmp_path)
        hosted.until(lambda: runs(tmp_path) > reached + 60)
        after = descriptors(hosted), resident(hosted)
        assert taken_from(tmp_path, "w") == stuck_at
        assert after[0] < before[0] + 20
        assert after[1] < before[1] + GROWTH
        assert (tmp_path / "probed").read_text().count("x") > 3
        assert hosted.get("/liveness")[0] in (200, 503)
        began = time.monotonic()
        assert hosted.end() == 0
        # Two seconds for the child, which cannot end as long as its write() waits, and two for the reader.
        assert time.monotonic() - began < 8
        lost = rb"\d+ records \(\d+ bytes\) could not be written to stdout: nobody read it\n"
        assert re.fullmatch(lost, hosted.err.read_bytes())


def test_stderr_may_be_the_same_pipe(tmp_path: Path) -> None:
    """``2>&1``: saying what was lost does not wait for the reader that never came."""
    both = ("sh", "-c", 'exec "$@" 2>&1', "sh")
    options = ("--graceful-shutdown-deadline=100ms",)
    plan = [writer("w", tmp_path, on_term="dies")]
    with pipe() as (_, writing), Hosted(tmp_path, plan, options, stdout=writing, prefix=both) as hosted:
        hosted.until(lambda: taken_from(tmp_path, "w") > 2_000_000)
        assert hosted.end(seconds=8) == 0


def test_a_stop_while_the_reader_is_slow(tmp_path: Path) -> None:
    """All that waits in memory and in the pipes comes out, as long as the reader takes it."""
    numbers = Numbers("w")
    with pipe() as (reading, writing):
        with Hosted(tmp_path, [writer("w", tmp_path, batch=43)], stdout=writing) as hosted:
            os.close(writing)
            reader = Reader(os.dup(reading), 4_000_000, numbers.take)
            hosted.until(lambda: taken_from(tmp_path, "w") > 5_000_000)
            assert hosted.end() == 0
        reader.everything()
    assert numbers.verdict() == (taken_from(tmp_path, "w") // LINE_BYTES, b"", b"")


def stays(value: Callable[[], Any]) -> Any:
    """Return a value that does not change for half a second; nothing if it does."""
    before = value()
    time.sleep(0.5)
    return before if value() == before else None


def test_a_reader_that_leaves(tmp_path: Path) -> None:
    """EPIPE: everything goes on into nothing, and no child is held up."""
    plan = [writer("w", tmp_path), crashing(tmp_path)]
    with pipe() as (reading, writing), Hosted(tmp_path, plan, stdout=writing, http=True) as hosted:
        os.close(writing)
        os.read(reading, 1000)
        os.close(reading)
        written, reached = taken_from(tmp_path, "w"), runs(tmp_path)
        hosted.until(lambda: taken_from(tmp_path, "w") > written + 20_000_000)
        hosted.until(lambda: runs(tmp_path) > reached + 10)
        assert hosted.get("/liveness")[0] in (200, 503)
        assert hosted.end() == 0


@pytest.mark.alone
def test_a_slow_reader_is_waited_for(tmp_path: Path) -> None:
    """When the processes have ended by themselves, however long it takes; SIGTERM then gives a deadline."""
    options = ("--graceful-shutdown-deadline=100ms",)
    plan = [writer("w", tmp_path, lines=20_000)]
    with pipe() as (reading, writing), Hosted(tmp_path, plan, options, stdout=writing) as hosted:
        os.close(writing)
        hosted.until(lambda: taken_from(tmp_path, "w") == 20_000 * LINE_BYTES)
        with pytest.raises(subprocess.TimeoutExpired):
            hosted.wait(4)
        numbers = Numbers("w")
        while numbers.seen < 10_000:
            numbers.take(os.read(reading, 1 << 16))
        assert hosted.end() == 0
        Reader(os.dup(reading), take=numbers.take).everything()
        assert 10_000 <= numbers.seen < 20_000
        assert numbers.wrong == b""


def test_a_stdout_that_was_closed_before(tmp_path: Path) -> None:
    """``>&-``: nothing else gets the records, not a config, a socket nor a child's pipe."""
    closed = ("sh", "-c", 'exec "$@" >&-', "sh")
    plan = [process("w", f"echo x; echo y >&2; echo done >{tmp_path}/done; exec sleep 600")]
    with Hosted(tmp_path, plan, prefix=closed, http=True) as hosted:
        hosted.until((tmp_path / "done").exists)
        assert hosted.get("/readiness")[0] == 200
        assert hosted.end() == 0
        assert hosted.err.read_bytes() == b""


@pytest.mark.root
def test_a_file_on_a_full_disk(tmp_path: Path) -> None:
    """Everything goes on, only whole lines are missing, and they come again when there is room."""
    ticking = "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.01; done"
    with small_disk(tmp_path / "disk", 256 * 1024) as disk:
        out = os.open(disk / "out", os.O_WRONLY | os.O_CREAT)
        with Hosted(tmp_path, [process("w", ticking)], stdout=out, http=True) as hosted:
            os.close(out)
            read = (disk / "out").read_bytes
            hosted.until(lambda: b"tick 20" in read())
            ballast = fill(disk)
            hosted.until(lambda: stays(lambda: len(read())))
            assert hosted.get("/liveness")[0] == 200
            size = len(read())
            ballast.unlink()
            hosted.until(lambda: read()[size:].count(b"\n") > 50)
            assert hosted.end() == 0
        lines = read().splitlines()
    ticks = [
        int(n) for line in lines for n in re.findall(rb'^time="[^"]+" level=info msg="tick (\d+)"', line)
    ]
    assert ticks == sorted(set(ticks))
    assert len(ticks) + sum(b" name=procwrap" in line for line in lines) == len(lines)
    (hole,) = [after - before for before, after in pairwise(ticks) if after > before + 1]
    assert hole > 10


def open_pty() -> tuple[int, int]:
    """Return a terminal's two ends; it changes nothing of what is written to it."""
    ours, theirs = pty.openpty()
    mode = termios.tcgetattr(theirs)
    mode[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, mode)
    return ours, theirs


def open_socket() -> tuple[int, int]:
    """Return the two ends of a connection."""
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


@pytest.mark.parametrize("non_blocking", [False, True])
@pytest.mark.parametrize("open_both", [os.pipe, open_socket, open_pty])
def test_its_flags_are_left_alone(
    tmp_path: Path, open_both: Callable[[], tuple[int, int]], non_blocking: bool
) -> None:
    """Its description may be shared: O_NONBLOCK stays as it was, and either way everything arrives."""
    ours, theirs = open_both()
    os.set_blocking(theirs, not non_blocking)
    before = fcntl.fcntl(theirs, fcntl.F_GETFL)
    lines = 20_000
    numbers, flags = Numbers("w"), set()
    try:
        with Hosted(tmp_path, [writer("w", tmp_path, lines=lines)], stdout=theirs) as hosted:
            while select.select([ours], [], [], 0)[0] or hosted.process.poll() is None:
                if select.select([ours], [], [], 0.05)[0]:
                    numbers.take(os.read(ours, 1 << 16))
                flags.add(fcntl.fcntl(theirs, fcntl.F_GETFL))
            assert hosted.wait() == 0
    finally:
        os.close(ours)
        os.close(theirs)
    assert flags == {before}
    assert (numbers.seen, numbers.wrong) == (lines, b"")
