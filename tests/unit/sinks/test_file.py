from __future__ import annotations

from pathlib import Path

from procwrap.sinks.file import RotatingFile
from tests.support.mainloop import PATIENCE, MainLoop


def test_records_are_written_and_rotated(tmp_path: Path) -> None:
    """The process's file has its newest records, the generations the older ones, none is missing."""
    path = tmp_path / "api.log"
    file = RotatingFile(str(path), 100_000, 50, MainLoop().call_in_reactor, lambda _: None)
    lines = [b"%07d\n" % number for number in range(50_000)]
    for start in range(0, len(lines), 500):
        file.write(b"".join(lines[start : start + 500]), 500)
    assert file.close(PATIENCE)
    generations = [tmp_path / f"api.log.{number}" for number in range(3, 0, -1)]
    assert b"".join(part.read_bytes() for part in [*generations, path]) == b"".join(lines)
    assert max(part.stat().st_size for part in tmp_path.iterdir()) == 100_000
    assert (file.dropped_records, file.dropped_bytes, file.failure) == (0, 0, None)


def test_nothing_is_opened_before_the_first_line(tmp_path: Path) -> None:
    """A silent process leaves no empty file."""
    file = RotatingFile(str(tmp_path / "api.log"), 100, 1, MainLoop().call_in_reactor, lambda _: None)
    assert file.close(0)
    assert list(tmp_path.iterdir()) == []


def test_trouble_is_reported_in_the_reactor(tmp_path: Path) -> None:
    """Our own log says once why the file is not written, and what is missing is counted."""
    loop = MainLoop()
    reports: list[str] = []
    path = tmp_path / "missing" / "api.log"
    file = RotatingFile(str(path), 100, 1, loop.call_in_reactor, reports.append)
    file.write(b"a\nb\n", 2)
    loop.run_until(lambda: bool(reports))
    assert file.close(PATIENCE)
    expected = (
        f"cannot write log file {path}: No such file or directory; lines are missing until it works again"
    )
    assert reports == [expected]
    assert (file.dropped_records, file.dropped_bytes) == (2, 4)


def test_a_file_that_is_too_slow_never_slows_the_process(tmp_path: Path) -> None:
    """What exceeds the bound of the queue is dropped in whole chunks, counted, and reported once."""
    loop, path = MainLoop(), tmp_path / "api.log"
    reports: list[str] = []
    file = RotatingFile(str(path), 0, 0, loop.call_in_reactor, reports.append, 10)
    file.write(b"more than ten bytes\n", 1)
    file.write(b"and even\nmore\n", 2)
    assert (file.queued_bytes, file.dropped_records, file.dropped_bytes) == (0, 3, 34)
    file.write(b"less\n", 1)
    loop.run_until(lambda: len(reports) == 2)
    assert file.close(PATIENCE)
    assert path.read_bytes() == b"less\n"
    assert reports == [
        f"log file {path} is too slow; lines are missing until it has caught up",
        f"log file {path} has caught up; 3 lines are missing",
    ]
