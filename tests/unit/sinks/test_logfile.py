from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from procwrap.sinks.logfile import LogFile
from tests.support.pipes import file_size_limit


class World:
    """A log file in an empty folder, and what was reported about it."""

    def __init__(self, folder: Path, max_bytes: int = 10, backups: int = 3) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "api.log"
        self.reports: list[str] = []
        self.file = LogFile(str(self.path), max_bytes, backups, self.reports.append)

    def write(self, *data: bytes) -> tuple[int, int]:
        return self.file.write(list(data))

    def generation(self, number: int) -> bytes:
        return self.path.with_name(f"api.log.{number}").read_bytes()

    def names(self) -> list[str]:
        return sorted(os.listdir(self.path.parent))

    def everything(self) -> bytes:
        """All generations from the oldest to the newest."""
        others = sorted(
            (int(name.rpartition(".")[2]) for name in self.names() if name != "api.log"), reverse=True
        )
        return b"".join(self.generation(number) for number in others) + self.path.read_bytes()


def test_records_are_appended(tmp_path: Path) -> None:
    """What an earlier run wrote stays."""
    world = World(tmp_path, max_bytes=100)
    world.path.write_bytes(b"old\n")
    assert world.write(b"a\n", b"b\n") == (0, 0)
    assert world.path.read_bytes() == b"old\na\nb\n"


def test_rotation_keeps_the_newest_generations(tmp_path: Path) -> None:
    """A file never exceeds its size, and of the older ones only so many are kept."""
    world = World(tmp_path, max_bytes=8, backups=2)
    for number in range(9):
        assert world.write(b"%03d\n" % number) == (0, 0)
    assert world.names() == ["api.log", "api.log.1", "api.log.2"]
    assert (world.generation(2), world.generation(1)) == (b"004\n005\n", b"006\n007\n")
    assert world.path.read_bytes() == b"008\n"
    assert world.reports == []


def test_one_chunk_may_fill_several_files(tmp_path: Path) -> None:
    """A chunk is rotated between its records; a record larger than a file has one for itself."""
    world = World(tmp_path, max_bytes=8, backups=9)
    world.write(b"a\nb\nc\nd\ne\n0123456789\nf\n")
    files = [world.generation(number) for number in (3, 2, 1)]
    assert files == [b"a\nb\nc\nd\n", b"e\n", b"0123456789\n"]
    assert world.path.read_bytes() == b"f\n"


@given(
    st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=9), max_size=9),
    st.integers(1, 30),
    st.lists(st.integers(0, 30), max_size=3),
)
def test_no_record_is_lost_or_split_by_rotation(
    tmp_path_factory: object, batches: list[list[int]], max_bytes: int, earlier: list[int]
) -> None:
    """All generations together are all records, in files of the right size."""
    world = World(tmp_path_factory.mktemp("log"), max_bytes, backups=1000)  # type: ignore[attr-defined]
    before = b"".join(b"y" * size + b"\n" for size in earlier)
    world.path.write_bytes(before)
    for batch in batches:
        assert world.write(*[b"x" * size + b"\n" for size in batch]) == (0, 0)
    world.file.close()
    assert world.everything() == before + b"".join(b"x" * size + b"\n" for batch in batches for size in batch)
    for name in world.names():
        data = (world.path.parent / name).read_bytes()
        assert data.endswith(b"\n") or not data
        assert len(data) <= max_bytes or data.count(b"\n") == 1 or data == before


def test_without_backups_the_file_is_emptied(tmp_path: Path) -> None:
    """Only the newest records are kept, in one file."""
    world = World(tmp_path, max_bytes=8, backups=0)
    world.write(b"a\nb\nc\nd\ne\n")
    assert world.names() == ["api.log"]
    assert world.path.read_bytes() == b"e\n"


def test_without_a_size_nothing_is_rotated(tmp_path: Path) -> None:
    """0 leaves the rotating to others."""
    world = World(tmp_path, max_bytes=0)
    world.write(b"0123456789\n" * 1000)
    assert world.path.stat().st_size == 11_000


def test_a_gap_in_the_generations_is_filled_first(tmp_path: Path) -> None:
    """A file that is not in the way is not moved."""
    world = World(tmp_path, max_bytes=2, backups=5)
    world.path.with_name("api.log.3").write_bytes(b"third\n")
    world.write(b"a\nb\nc\n")
    assert (world.generation(3), world.generation(2), world.generation(1)) == (b"third\n", b"a\n", b"b\n")


def test_a_file_that_others_rotate_is_opened_anew(tmp_path: Path) -> None:
    """Another rotator may move the file away, and a person may delete it."""
    world = World(tmp_path, max_bytes=0)
    world.write(b"a\n")
    world.path.rename(tmp_path / "moved")
    world.write(b"b\n")
    world.path.unlink()
    world.write(b"c\n")
    assert (tmp_path / "moved").read_bytes() == b"a\n"
    assert world.path.read_bytes() == b"c\n"


def test_a_line_that_a_crash_left_unfinished_is_ended(tmp_path: Path) -> None:
    """The first record of this run has a line for itself."""
    world = World(tmp_path, max_bytes=100)
    world.path.write_bytes(b"half a li")
    world.write(b"a\n")
    assert world.path.read_bytes() == b"half a li\na\n"


def test_a_missing_folder_is_reported_once_and_tried_again(tmp_path: Path) -> None:
    """What could not be written is counted, and it goes on as soon as it can."""
    world = World(tmp_path / "there")
    world.path.parent.rmdir()
    assert world.write(b"a\nb\n") == (2, 4)
    assert world.write(b"c\n") == (1, 2)
    assert world.file.failure == "No such file or directory"
    world.path.parent.mkdir()
    assert world.write(b"d\n") == (0, 0)
    reason = "No such file or directory; lines are missing until it works again"
    assert world.reports == [
        f"cannot write log file {world.path}: {reason}",
        f"log file {world.path} works again; 3 lines are missing",
    ]
    assert world.file.failure is None


def test_a_path_that_is_a_folder_is_reported(tmp_path: Path) -> None:
    """The reason is the system's own."""
    world = World(tmp_path)
    world.path.mkdir()
    assert world.write(b"a\n") == (1, 2)
    assert "Is a directory" in world.reports[0]


def test_a_file_deleted_with_its_folder_counts_as_missing(tmp_path: Path) -> None:
    """Lines in a file that nobody can open any more would be lost without a word."""
    world = World(tmp_path / "there")
    world.write(b"a\n")
    world.path.unlink()
    world.path.parent.rmdir()
    assert world.write(b"b\n") == (1, 2)
    assert len(world.reports) == 1


def test_a_file_that_was_moved_away_with_its_folder_goes_on(tmp_path: Path) -> None:
    """As long as the file exists somewhere, its lines are not lost."""
    world = World(tmp_path / "there")
    world.write(b"a\n")
    world.path.parent.rename(tmp_path / "elsewhere")
    assert world.write(b"b\n") == (0, 0)
    assert (tmp_path / "elsewhere" / "api.log").read_bytes() == b"a\nb\n"


def test_a_full_disk_tears_no_line(tmp_path: Path) -> None:
    """Records are missing, but what is there is whole."""
    world = World(tmp_path, max_bytes=100)
    with file_size_limit(6):
        assert world.write(b"one\ntwo\nthree\n") == (1, 6)
        assert world.write(b"four\n") == (1, 5)
    assert world.write(b"five\n") == (0, 0)
    assert world.path.read_bytes() == b"one\ntwo\nfive\n"
    assert [report.split(": ")[-1] for report in world.reports] == [
        "File too large; lines are missing until it works again",
        f"log file {world.path} works again; 2 lines are missing".split(": ")[-1],
    ]


def test_a_torn_line_is_finished_before_the_file_is_rotated(tmp_path: Path) -> None:
    """Both halves of a record end up in the same file."""
    world = World(tmp_path, max_bytes=7, backups=2)
    with file_size_limit(6):
        world.write(b"one\ntwo\n")
    world.write(b"three\n")
    assert world.everything() == b"one\ntwo\nthree\n"
    assert all(line in {b"one", b"two", b"three"} for line in world.everything().split())


def test_a_torn_line_in_a_file_that_is_moved_away_is_lost(tmp_path: Path) -> None:
    """Its other half is not written into a file where it does not belong."""
    world = World(tmp_path, max_bytes=100)
    with file_size_limit(2):
        assert world.write(b"one\n") == (0, 0)
    world.path.rename(tmp_path / "moved")
    assert world.write(b"two\n") == (1, 2)
    assert world.path.read_bytes() == b"two\n"


def test_a_rotation_that_is_impossible_loses_nothing(tmp_path: Path) -> None:
    """The file grows on, says so, and tries again only when it has doubled."""
    world = World(tmp_path, max_bytes=4, backups=1)
    (tmp_path / "api.log.1" / "occupied").mkdir(parents=True)
    for number in range(4):
        assert world.write(b"%03d\n" % number) == (0, 0)
    assert world.path.read_bytes() == b"000\n001\n002\n003\n"
    assert world.reports[0] == f"cannot rotate log file {world.path}: Is a directory; it grows on"
    assert len(world.reports) == 3


def test_a_device_is_not_rotated(tmp_path: Path) -> None:
    """A log file may be a link to a device; that one stays where it is."""
    world = World(tmp_path, max_bytes=4)
    world.path.symlink_to("/dev/null")
    for _ in range(5):
        assert world.write(b"abc\n") == (0, 0)
    assert world.names() == ["api.log"]


def test_a_fifo_gets_a_new_reader(tmp_path: Path) -> None:
    """When the reader of a named pipe has left, the next one is waited for."""
    world = World(tmp_path)
    os.mkfifo(world.path)
    for data in (b"a\n", b"b\n"):
        reader = os.open(world.path, os.O_RDONLY | os.O_NONBLOCK)
        assert world.write(data) == (0, 0)
        assert os.read(reader, 10) == data
        spare = os.open(world.path, os.O_RDONLY | os.O_NONBLOCK) if data == b"b\n" else None
        os.close(reader)
        if spare is None:
            assert world.write(b"lost\n") == (1, 5)
        else:
            os.close(spare)


def test_closing_lets_go_of_the_file(tmp_path: Path) -> None:
    """No descriptor stays behind, whether the file was opened or not."""
    world = World(tmp_path)
    assert world.file.close() == (0, 0)
    before = set(os.listdir("/proc/self/fd"))
    world.write(b"0123456789\n" * 5)
    world.file.close()
    assert set(os.listdir("/proc/self/fd")) == before
