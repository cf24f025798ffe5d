from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import evolve

from procwrap.sinks.file import RotatingFile
from procwrap.sinks.stdout import Outlet
from procwrap.spec.logs import LogFile, LogFormat, LogSpec
from procwrap.spec.process import ProcessSpec
from procwrap.streams import Streams
from tests.support.mainloop import MainLoop

API = ProcessSpec("api", "/bin/api", labels=(("x", "1"),))


class Stdout(Outlet):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__(1, lambda *_: None)
        self.taken: list[bytes] = []

    def write(self, data: bytes, records: int) -> None:
        self.taken.append(data)


class File(RotatingFile):
    """A log file in memory."""

    def __init__(self, asked: LogFile) -> None:
        super().__init__(asked.path, asked.max_bytes, asked.backups, MainLoop().call_in_reactor, print)
        self.taken: list[bytes] = []
        self.sizes = [(asked.max_bytes, asked.backups)]
        self.resize = lambda most, backups: self.sizes.append((most, backups))
        self.is_closed = False

    def write(self, data: bytes, records: int) -> None:
        self.taken.append(data)

    def close(self, deadline: float) -> bool:
        self.is_closed = True
        return True


class Opened:
    """Streams of one process, and the files that they have opened."""

    def __init__(self, spec: ProcessSpec = API) -> None:
        self.files: list[File] = []
        self.stdout = Stdout()
        self.streams = Streams(self.stdout, self.make_file, "logfmt", lambda: 0.0)
        self.streams.admit(spec)
        self.stream: Any = self.streams.open(spec, 7)[1]

    def make_file(self, asked: LogFile) -> File:
        self.files.append(File(asked))
        return self.files[-1]

    def adjust(self, **different: Any) -> None:
        self.streams.adjust(evolve(API, **different))


def test_a_running_process_gets_other_labels() -> None:
    """From the next line on, and the line that is under way is no exception."""
    opened = Opened()
    opened.stream.receive(b"one\ntw")
    opened.adjust(labels=(("x", "2"),))
    opened.stream.receive(b"o\n")
    assert [b"msg=one" in opened.stdout.taken[0], b"x=1" in opened.stdout.taken[0]] == [True, True]
    assert [b"msg=two" in opened.stdout.taken[1], b"x=2" in opened.stdout.taken[1]] == [True, True]
    assert list(opened.streams.counts()) == [("api", "stdout", 2, 8), ("api", "stderr", 0, 0)]


def test_a_running_process_gets_another_format_and_length() -> None:
    """Also for what it has not finished writing."""
    opened = Opened()
    opened.adjust(log=LogSpec(LogFormat.FREE, max_line_bytes=4))
    opened.stream.receive(b"abcdefgh\n")
    assert b"".join(opened.stdout.taken) == b"abcd\nefgh\n"
    opened.adjust(log=LogSpec(LogFormat.FREE, discard=True))
    opened.stream.receive(b"gone\n")
    assert b"gone" not in b"".join(opened.stdout.taken)


def test_a_log_file_comes_and_goes() -> None:
    """The old one is closed when it is written; one that only has other bounds stays open."""
    opened = Opened()
    assert opened.streams.dropped_in_files is None
    opened.adjust(log=LogSpec(file=LogFile("/a", 100, 1)))
    opened.stream.receive(b"one\n")
    opened.adjust(log=LogSpec(file=LogFile("/a", 200, 2)))
    opened.adjust(log=LogSpec(file=LogFile("/b")))
    opened.stream.receive(b"two\n")
    first, second = opened.files
    assert (first.path, first.sizes, first.is_closed) == ("/a", [(100, 1), (200, 2)], True)
    assert ([b"one" in data for data in first.taken], len(second.taken)) == ([True], 1)
    assert (second.is_closed, opened.streams.dropped_in_files) == (False, 0)


def test_what_is_forgotten_leaves_nothing_behind() -> None:
    """Its last lines are still delivered; its file is closed when somebody says that all has come."""
    opened = Opened(evolve(API, log=LogSpec(file=LogFile("/a"))))
    close = opened.streams.forget("api")
    opened.stream.receive(b"bye\n")
    assert ([len(opened.stdout.taken), len(opened.files[0].taken)], opened.files[0].is_closed) == (
        [1, 1],
        False,
    )
    close()
    streams = opened.streams
    assert (opened.files[0].is_closed, streams.recent, streams._roads) == (True, {}, {})
    assert (list(streams.counts()), streams._closing) == ([], [])


def test_ended_streams_are_not_kept() -> None:
    """However often a process is started again."""
    opened = Opened()
    for pid in range(100):
        for stream in opened.streams.open(API, pid).values():
            stream.finish()
    assert len(opened.streams._roads["api"]) == 4


def test_a_real_file_is_rotated_by_its_new_bounds(tmp_path: Path) -> None:
    """Without being opened anew."""
    file = RotatingFile(str(tmp_path / "log"), 1000, 1, MainLoop().call_in_reactor, print)
    file.write(b"x" * 99 + b"\n", 1)
    file.resize(150, 2)
    for _ in range(3):
        file.write(b"y" * 99 + b"\n", 1)
    assert file.close(10.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
