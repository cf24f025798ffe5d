"""``logFile``: what a process prints is in its files too, whatever happens to them; real processes."""

from __future__ import annotations

import os
import re
import select
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.disks import fill, small_disk
from tests.support.hosted import Hosted, process
from tests.support.pipes import pipe
from tests.support.streams import Numbers, Reader, writer

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

TICKING = "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.01; done"


def generations(path: Path) -> Sequence[Path]:
    """Return a log file and its older generations, the oldest first."""
    older = sorted(path.parent.glob(f"{path.name}.*"), key=lambda found: -int(found.suffix[1:]))
    return [*older, path]


def test_rotation_loses_nothing(tmp_path: Path) -> None:
    """Replicas that write as fast as they can: the generations of each file are all its records, in order."""
    lines, size = 100_000, 1 << 20
    file = {"path": str(tmp_path / "w.log"), "maxBytes": size, "backups": 100}
    plan = writer("w", tmp_path, lines=lines, replicas=2, logFile=file)
    with Hosted(tmp_path, [plan]) as hosted:
        assert hosted.wait() == 0
        printed = hosted.out.read_bytes()
    for name in ("w_0", "w_1"):
        parts = [part.read_bytes() for part in generations(tmp_path / f"{name}.log")]
        assert len(parts) > 10
        for part in parts:
            assert 0 < len(part) <= size
            assert part.endswith(b"\n")
        numbers = Numbers(name)
        numbers.take(b"".join(parts))
        assert numbers.verdict() == (lines, b"", b"")
        assert b"".join(parts) == b"".join(re.findall(rb"(?m)^.* name=%b .*\n" % name.encode(), printed))


def test_only_so_many_generations_are_kept(tmp_path: Path) -> None:
    """``backups`` older ones with the newest records; what is gone is the oldest."""
    path = tmp_path / "w.log"
    file = {"path": str(path), "maxBytes": 100_000, "backups": 2}
    with Hosted(tmp_path, [writer("w", tmp_path, lines=20_000, logFile=file)]) as hosted:
        assert hosted.wait() == 0
    assert [part.name for part in generations(path)] == ["w.log.2", "w.log.1", "w.log"]
    kept = re.findall(rb'msg="(\d+) x+" name=w ', b"".join(part.read_bytes() for part in generations(path)))
    assert [int(number) for number in kept] == list(range(20_000 - len(kept), 20_000))
    assert len(kept) > 1000


def test_another_program_may_move_the_file(tmp_path: Path) -> None:
    """As logrotate does it: a new one is opened, and the two together have every line."""
    path, moved = tmp_path / "w.log", tmp_path / "moved"
    with Hosted(tmp_path, [process("w", TICKING, logFile={"path": str(path)})]) as hosted:
        hosted.until(lambda: path.exists() and b"tick 20" in path.read_bytes())
        path.rename(moved)
        hosted.until(lambda: path.exists() and path.read_bytes().count(b"\n") > 20)
        assert hosted.end() == 0
        lines = hosted.out.read_text().splitlines()
    kept = (moved.read_text() + path.read_text()).splitlines()
    assert kept == [line for line in lines if " name=w " in line]


@pytest.mark.root
def test_a_full_disk_costs_whole_lines_of_the_file_only(tmp_path: Path) -> None:
    """It is said once, stdout has every line, and with room again the file goes on with a whole line."""
    with small_disk(tmp_path / "disk", 256 * 1024) as disk:
        path = disk / "w.log"
        file = {"path": str(path), "maxBytes": 40_000, "backups": 1}
        with Hosted(tmp_path, [process("w", TICKING, logFile=file)]) as hosted:
            hosted.until(lambda: path.exists() and b"tick 20" in path.read_bytes())
            ballast = fill(disk)
            hosted.until(lambda: hosted.said("^cannot write log file .*No space left on device"))
            full_at = len(hosted.lines("w"))
            hosted.until(lambda: len(hosted.lines("w")) > full_at + 50)
            ballast.unlink()
            (back,) = hosted.until(lambda: hosted.said("^log file .* works again; "))
            hosted.until(lambda: len(hosted.lines("w")) > full_at + 150)
            assert hosted.end() == 0
            printed = [line for line in hosted.out.read_text().splitlines() if " name=w " in line]
            assert len(hosted.said("log file")) == 2
        kept = path.read_text().splitlines()
    assert [f"tick {number}" for number in range(1, len(printed) + 1)] == hosted.lines("w")
    assert set(kept) <= set(printed)
    assert kept[-50:] == printed[-50:]
    assert len(printed) - len(kept) == int(re.findall(r"; (\d+) lines are missing", back)[0]) >= 50


def test_a_log_file_that_is_too_slow_never_slows_the_process(tmp_path: Path) -> None:
    """What exceeds 8 MiB of waiting records is missing in the file, stdout has it, and procwrap says so."""
    path, lines = tmp_path / "fifo", 200_000
    os.mkfifo(path)
    keeps_open = os.open(path, os.O_RDWR)
    numbers, data = Numbers("w"), b""
    try:
        with pipe() as (reading, writing):
            plan = writer("w", tmp_path, lines=lines, logFile={"path": str(path)})
            with Hosted(tmp_path, [plan, process("idle", "exec sleep 600")], stdout=writing) as hosted:
                os.close(writing)
                reader = Reader(os.dup(reading))
                hosted.until(lambda: reader.so_far().count(b"\n") > lines)
                # Until now nobody has read the file; now somebody does.
                while select.select([keeps_open], [], [], 0.2)[0]:
                    data += os.read(keeps_open, 1 << 16)
                hosted.until(lambda: b"has caught up" in reader.so_far()[-4000:])
                assert hosted.end() == 0
            numbers.take(reader.everything())
    finally:
        os.close(keeps_open)
    said = re.findall(rb'msg="log file .* (?:is too slow;|has caught up; (\d+) lines)', reader.so_far())
    assert (len(said), said[0]) == (2, b"")
    assert numbers.verdict() == (lines, b"", b"")
    assert data.count(b"\n") == lines - int(said[1])
    assert data.endswith(b"\n")
    assert len(data) < 10_000_000
