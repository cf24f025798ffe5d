from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from procwrap.sinks.descriptor import Descriptor
from tests.support.pipes import ReaderThread, file_size_limit, pipe


def numbered(first: int, last: int) -> bytes:
    return b"".join(b"%08d\n" % number for number in range(first, last))


def test_everything_is_written_in_order() -> None:
    """A batch larger than the pipe, of more buffers than writev takes, arrives as it was."""
    batch = [numbered(number * 10, number * 10 + 10) for number in range(3000)]
    with pipe() as (read_end, write_end):
        reader = ReaderThread(read_end)
        assert Descriptor(write_end).write([b"", *batch, b""]) == (0, 0)
        os.close(write_end)
        assert reader.everything() == b"".join(batch)


def test_a_non_blocking_description_is_waited_for_and_left_as_it_is() -> None:
    """Whoever shares the description may have made it non-blocking; nothing is lost by it."""
    data = numbered(0, 100_000)
    with pipe() as (read_end, write_end):
        os.set_blocking(write_end, False)
        flags = fcntl.fcntl(write_end, fcntl.F_GETFL)
        reader = ReaderThread(read_end)
        assert Descriptor(write_end).write([data]) == (0, 0)
        assert fcntl.fcntl(write_end, fcntl.F_GETFL) == flags
        os.close(write_end)
        assert reader.everything() == data


def test_a_full_device_costs_whole_records() -> None:
    """What cannot be written is counted, the reason is known, and it is tried again."""
    with open("/dev/full", "wb", buffering=0) as full, open("/dev/null", "wb", buffering=0) as null:
        descriptor = Descriptor(full.fileno())
        for _ in range(2):
            assert descriptor.write([b"a\nb\n", b"c\n"]) == (3, 6)
            assert descriptor.failure == "No space left on device"
        os.dup2(null.fileno(), full.fileno())
        assert descriptor.write([b"d\n"]) == (0, 0)
        assert descriptor.failure is None


@pytest.mark.parametrize("limit", range(20))
def test_a_torn_record_is_finished_first(tmp_path: Path, limit: int) -> None:
    """Wherever the disk is full, the file has whole lines once there is room, and all else is counted."""
    with open(tmp_path / "log", "wb", buffering=0) as file:
        descriptor = Descriptor(file.fileno())
        with file_size_limit(limit):
            lost = descriptor.write([b"one\ntwo\n", b"three\n", b"four\n"])
            again = descriptor.write([b"five\n"])
        assert descriptor.write([b"six\n"]) == (0, 0)
    lines = (tmp_path / "log").read_bytes().splitlines(keepends=True)
    assert lines[-1] == b"six\n"
    assert lines[:-1] == [b"one\n", b"two\n", b"three\n", b"four\n"][: len(lines) - 1]
    assert (lost[0], again) == (5 - len(lines), (1, 5))
    assert lost[1] == 19 - sum(map(len, lines[:-1]))


def test_a_torn_record_may_be_finished_in_several_goes(tmp_path: Path) -> None:
    """A disk that has room for a few bytes at a time does no harm either."""
    with open(tmp_path / "log", "wb", buffering=0) as file:
        descriptor = Descriptor(file.fileno())
        for limit in (3, 5, 6, 6):
            with file_size_limit(limit):
                descriptor.write([b"0123456789\n"])
        assert descriptor.torn == b"6789\n"
        assert descriptor.write([]) == (0, 0)
    assert (tmp_path / "log").read_bytes() == b"0123456789\n"


def test_without_a_reader_everything_is_dropped_and_counted() -> None:
    """A stdout that is gone is no error; it is not tried again."""
    with pipe() as (read_end, write_end):
        os.close(read_end)
        descriptor = Descriptor(write_end)
        assert descriptor.write([b"a\nb\n", b"c\n"]) == (3, 6)
        assert (descriptor.gone, descriptor.failure) == (True, "Broken pipe")
        assert descriptor.write([b"d\n"]) == (1, 2)


def test_a_reader_that_leaves_in_the_middle_of_a_record() -> None:
    """The record that it saw half of counts as lost."""
    with pipe() as (read_end, write_end):
        os.set_blocking(write_end, False)
        capacity = fcntl.fcntl(write_end, fcntl.F_GETPIPE_SZ)
        os.write(write_end, b"x" * capacity)
        os.read(read_end, 4096)
        descriptor = Descriptor(write_end)
        record = b"y" * 5000 + b"\n"
        written = os.write(write_end, record)
        assert 0 < written < len(record)
        descriptor.torn = record[written:]
        os.close(read_end)
        assert descriptor.write([b"a\n"]) == (2, len(record) - written + 2)


def test_a_closed_descriptor_is_gone() -> None:
    """A process started without stdout runs all the same."""
    with pipe() as (_, write_end):
        os.close(write_end)
        descriptor = Descriptor(write_end)
        assert descriptor.write([b"a\n"]) == (1, 2)
        assert (descriptor.gone, descriptor.failure) == (True, "Bad file descriptor")


def test_giving_up_counts_what_is_torn() -> None:
    """A record whose end never came out is lost."""
    assert Descriptor(-1, torn=b"end\n").close() == (1, 4)
    assert Descriptor(-1).close() == (0, 0)


def test_a_busy_pipe_is_asked_to_hold_more() -> None:
    """A pipe that is hardly used stays as it is."""
    with pipe() as (read_end, write_end):
        descriptor = Descriptor(write_end)
        before = fcntl.fcntl(write_end, fcntl.F_GETPIPE_SZ)
        descriptor.write([b"a line\n"])
        assert fcntl.fcntl(write_end, fcntl.F_GETPIPE_SZ) == before
        reader = ReaderThread(read_end)
        assert descriptor.write([numbered(0, 20_000)]) == (0, 0)
        assert fcntl.fcntl(write_end, fcntl.F_GETPIPE_SZ) == 256 * 1024
        os.close(write_end)
        assert reader.everything() == b"a line\n" + numbered(0, 20_000)
