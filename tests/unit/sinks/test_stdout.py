from __future__ import annotations

import fcntl
import os

from procwrap.sinks.pressure import Pressure
from procwrap.sinks.stdout import Outlet
from tests.support.mainloop import PATIENCE, MainLoop
from tests.support.pipes import ReaderThread, pipe


class Child:
    """A producer that remembers whether its pipe is read."""

    reads = True

    def pauseProducing(self) -> None:
        self.reads = False

    def resumeProducing(self) -> None:
        self.reads = True


def test_everything_arrives_and_the_description_is_left_alone() -> None:
    """Records come out in order, and O_NONBLOCK, which others may share, is as it was."""
    lines = [b"%d\n" % number for number in range(5000)]
    with pipe() as (read_end, write_end):
        flags = fcntl.fcntl(write_end, fcntl.F_GETFL)
        outlet = Outlet(write_end, MainLoop().call_in_reactor)
        reader = ReaderThread(read_end)
        for line in lines:
            outlet.write(line, 1)
        assert outlet.close(PATIENCE)
        assert fcntl.fcntl(write_end, fcntl.F_GETFL) == flags
        os.close(write_end)
        assert reader.everything() == b"".join(lines)
        assert (outlet.dropped_records, outlet.dropped_bytes, outlet.failure) == (0, 0, None)


def test_a_reader_that_does_not_read_pauses_the_children_and_loses_nothing() -> None:
    """Writing goes on without blocking, the children wait, and all of it arrives once somebody reads."""
    loop = MainLoop()
    child = Child()
    pressure = Pressure(high=1_000_000, low=400_000)
    pressure.register(child)
    chunk = b"0123456789abcde\n" * 4096
    with pipe() as (read_end, write_end):
        outlet = Outlet(write_end, loop.call_in_reactor, pressure)
        written = 0
        while child.reads:
            outlet.write(chunk, 4096)
            written += len(chunk)
        assert 1_000_000 < outlet.queued_bytes <= 1_000_000 + len(chunk)
        reader = ReaderThread(read_end)
        loop.run_until(lambda: child.reads)
        assert outlet.queued_bytes <= 400_000
        assert outlet.close(PATIENCE)
        os.close(write_end)
        assert reader.everything() == chunk * (written // len(chunk))


def test_a_pause_never_lasts() -> None:
    """However the thread and the reactor interleave, paused children are resumed: thousands of times."""
    loop = MainLoop()
    child = Child()
    pressure = Pressure(high=0, low=0)
    pressure.register(child)
    with open("/dev/null", "wb", buffering=0) as null:
        outlet = Outlet(null.fileno(), loop.call_in_reactor, pressure)
        for _ in range(5000):
            outlet.write(b"x\n", 1)
            loop.run_until(lambda: child.reads)
        assert outlet.close(PATIENCE)


def test_flush_fires_when_the_reader_has_it() -> None:
    """What was queued before is out when it fires."""
    loop = MainLoop()
    with pipe() as (read_end, write_end):
        outlet = Outlet(write_end, loop.call_in_reactor)
        outlet.write(b"a\n", 1)
        done: list[None] = []
        outlet.flush().addCallback(done.append)
        loop.run_until(lambda: bool(done))
        assert os.read(read_end, 100) == b"a\n"


def test_a_stdout_that_is_gone_is_counted() -> None:
    """EPIPE ends nothing, raises nothing and pauses nobody."""
    loop = MainLoop()
    child = Child()
    pressure = Pressure(high=100, low=50)
    pressure.register(child)
    with pipe() as (read_end, write_end):
        os.close(read_end)
        outlet = Outlet(write_end, loop.call_in_reactor, pressure)
        for _ in range(1000):
            outlet.write(b"0123456789\n", 1)
        loop.run_until(lambda: child.reads and not outlet.queued_bytes)
        assert (outlet.dropped_records, outlet.dropped_bytes) == (1000, 11_000)
        assert outlet.failure == "Broken pipe"


def test_a_full_disk_is_counted_and_tried_again() -> None:
    """Lines are missing for as long as there is no room, and no longer."""
    loop = MainLoop()
    with open("/dev/full", "wb", buffering=0) as full, pipe() as (read_end, write_end):
        outlet = Outlet(full.fileno(), loop.call_in_reactor)
        for data, lost in ((b"a\n", 1), (b"b\n", 1)):
            outlet.write(data, 1)
            done: list[None] = []
            outlet.flush().addCallback(done.append)
            loop.run_until(lambda done=done: bool(done))  # type: ignore[misc]
            assert outlet.dropped_records == lost
            os.dup2(write_end, full.fileno())
        assert os.read(read_end, 100) == b"b\n"
        assert outlet.failure is None


def test_there_is_a_bound_even_when_nobody_can_be_paused() -> None:
    """Our own messages to a reader that never reads do not fill the memory."""
    with pipe() as (read_end, write_end):
        outlet = Outlet(write_end, MainLoop().call_in_reactor, most_bytes=1_000_000)
        chunk = b"0123456789abcde\n" * 4096
        for _ in range(100):
            outlet.write(chunk, 4096)
        assert outlet.queued_bytes <= 1_000_000
        assert outlet.dropped_records >= 80 * 4096
        # Its thread must not be left writing to a number that soon belongs to another file.
        os.close(read_end)
        assert outlet.close(PATIENCE)
