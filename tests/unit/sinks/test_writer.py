from __future__ import annotations

import threading

import pytest

from procwrap.sinks.writer import BATCH, BackgroundWriter
from tests.support.mainloop import PATIENCE, MainLoop


class GatedTarget:
    """Writes a batch each time its gate is opened, or at once if it always is."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.batches: list[list[bytes]] = []
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)
        self.is_open = is_open
        self.failure: str | None = None
        self.lost = [(0, 0)]
        self.closed = threading.Event()

    def write(self, batch: list[bytes]) -> tuple[int, int]:
        self.entered.release()
        if not self.is_open:
            assert self.gate.acquire(timeout=PATIENCE)
        self.batches.append(batch)
        if self.failure is not None:
            raise RuntimeError(self.failure)
        return self.lost.pop() if self.lost else (0, 0)

    def close(self) -> tuple[int, int]:
        self.closed.set()
        return 1, 5


def make(target: GatedTarget, most_bytes: int = 100) -> tuple[BackgroundWriter, MainLoop]:
    loop = MainLoop()
    return BackgroundWriter("test", target, loop.call_in_reactor, most_bytes), loop


def test_what_is_written_arrives_in_order() -> None:
    """Records come out as they were queued."""
    target = GatedTarget()
    writer, loop = make(target, 10_000)
    for number in range(100):
        writer.write(b"%d\n" % number, 1)
    done: list[None] = []
    writer.flush().addCallback(done.append)
    loop.run_until(lambda: bool(done))
    assert b"".join(b"".join(batch) for batch in target.batches) == b"".join(b"%d\n" % n for n in range(100))
    assert (writer.queued_bytes, writer.dropped_records, writer.dropped_bytes) == (0, 0, 0)


def test_what_waits_is_taken_at_once() -> None:
    """While a write is under way, everything else gathers to one batch."""
    target = GatedTarget(is_open=False)
    writer, loop = make(target)
    writer.write(b"a\n", 1)
    assert target.entered.acquire(timeout=PATIENCE)
    for data in (b"b\n", b"c\n", b"d\n"):
        writer.write(data, 1)
    assert writer.queued_bytes == 8
    target.gate.release(2)
    done: list[None] = []
    writer.flush().addCallback(done.append)
    loop.run_until(lambda: bool(done))
    assert target.batches == [[b"a\n"], [b"b\n", b"c\n", b"d\n"]]


def test_batches_are_bounded() -> None:
    """A flush can fire while a reader that takes a mebibyte at a time still has a lot to read."""
    target = GatedTarget(is_open=False)
    writer, loop = make(target, 10 * BATCH)
    half = b"x" * (BATCH // 2 - 1) + b"\n"
    writer.write(half, 1)
    assert target.entered.acquire(timeout=PATIENCE)
    done: list[None] = []
    writer.flush().addCallback(done.append)
    for _ in range(4):
        writer.write(half, 1)
    target.gate.release(1)
    loop.run_until(lambda: bool(done))
    assert target.entered.acquire(timeout=PATIENCE)
    target.gate.release(2)
    writer.close(PATIENCE)
    assert [len(batch) for batch in target.batches] == [1, 2, 2]


def test_flush_of_nothing_fires_at_once() -> None:
    """Nobody waits for an empty queue."""
    writer, _ = make(GatedTarget())
    assert writer.flush().called


def test_too_much_is_dropped_and_counted() -> None:
    """The queue never exceeds its bound; what has room later is taken again."""
    target = GatedTarget(is_open=False)
    writer, loop = make(target, 10)
    writer.write(b"12345\n", 1)
    assert target.entered.acquire(timeout=PATIENCE)
    writer.write(b"1\n2\n3\n", 3)
    writer.write(b"4\n5\n", 2)
    assert (writer.queued_bytes, writer.dropped_records, writer.dropped_bytes) == (10, 3, 6)
    done: list[None] = []
    writer.flush().addCallback(done.append)
    target.gate.release(3)
    loop.run_until(lambda: bool(done))
    writer.write(b"67890123\n", 1)
    assert writer.close(PATIENCE)
    assert target.batches == [[b"12345\n"], [b"4\n5\n"], [b"67890123\n"]]


def test_what_the_target_loses_is_counted() -> None:
    """Losses of the queue, of the target and of its end come together in one figure."""
    target = GatedTarget()
    target.lost = [(2, 20)]
    writer, _ = make(target)
    writer.write(b"a\n", 1)
    assert writer.close(PATIENCE)
    assert (writer.dropped_records, writer.dropped_bytes) == (3, 25)


def test_a_bug_in_the_target_does_not_end_the_thread() -> None:
    """Children would stand still for ever if nobody emptied the queue."""
    target = GatedTarget()
    target.failure = "bug"
    writer, loop = make(target)
    for expected in (1, 2):
        writer.write(b"a\n", 1)
        done: list[None] = []
        writer.flush().addCallback(done.append)
        loop.run_until(lambda done=done: bool(done))  # type: ignore[misc]
        assert writer.dropped_records == expected
    assert writer.failure == "bug"


def test_close_writes_what_is_queued_and_lets_go() -> None:
    """Nothing that was queued before the end is lost, and what comes later is counted."""
    target = GatedTarget(is_open=False)
    writer, _ = make(target)
    for data in (b"a\n", b"b\n"):
        writer.write(data, 1)
    target.gate.release(2)
    assert writer.close(PATIENCE)
    assert target.closed.is_set()
    assert b"".join(b"".join(batch) for batch in target.batches) == b"a\nb\n"
    before = writer.dropped_records
    writer.write(b"late\n", 1)
    assert writer.dropped_records == before + 1


def test_close_gives_up_at_its_deadline() -> None:
    """A reader that never reads delays the end no longer than that, and what it missed is counted."""
    target = GatedTarget(is_open=False)
    writer, _ = make(target)
    writer.write(b"a\nb\n", 2)
    assert target.entered.acquire(timeout=PATIENCE)
    writer.write(b"c\n", 1)
    flushed = writer.flush()
    assert not writer.close(0)
    assert flushed.called
    assert (writer.dropped_records, writer.dropped_bytes) == (3, 6)
    target.gate.release()
    assert target.closed.wait(PATIENCE)


def test_a_writer_that_was_never_used_closes() -> None:
    """No thread is started just to be ended."""
    assert make(GatedTarget())[0].close(0)


def test_the_thread_cannot_keep_procwrap_alive() -> None:
    """It is a daemon, and it is started once, ahead of time if that is wished."""
    writer, _ = make(GatedTarget())
    writer.start()
    writer.start()
    threads = [thread for thread in threading.enumerate() if thread.name == "test" and thread.is_alive()]
    assert all(thread.daemon for thread in threads)
    assert writer.close(PATIENCE)


def test_a_system_without_threads_left_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a limit of processes the lines wait until there is a thread for them."""
    target = GatedTarget()
    writer, _ = make(target)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        writer.write(b"a\n", 1)
    writer.write(b"b\n", 1)
    assert writer.close(PATIENCE)
    assert target.batches == [[b"a\n", b"b\n"]]
