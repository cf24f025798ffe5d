"""A queue and a thread that writes it out, so that the reactor never waits for a slow reader or a full disk.

Standard output may be shared with other processes, so O_NONBLOCK, which belongs to the shared file
description, is not ours to set; and regular files have no non-blocking writes at all. That leaves a thread.
It sleeps until something is queued and then takes everything up to a mebibyte at once: under load it is
inside ``writev``, without the interpreter's lock, nearly all the time, and the reactor's thread only appends
to the queue. The thread is a daemon, so a reader that never reads cannot keep the interpreter alive.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred, succeed

from procwrap.sinks.descriptor import MOST_BUFFERS, Lost

CallInReactor = Callable[..., object]
"""``reactor.callFromThread``."""

BATCH = 1024 * 1024


class Target(Protocol):
    """Where a thread writes to. It blocks as long as it must and never raises."""

    failure: str | None
    """Why writing fails at present; None while it does not."""

    def write(self, batch: list[bytes]) -> Lost:
        """Write complete records and return what had to be given up."""

    def close(self) -> Lost:
        """Let go; called once, at the end of the thread."""


class BackgroundWriter:
    """Hands records to a target in a thread of its own, in order, with a bound on what waits.

    All methods belong to the reactor's thread. None of them blocks but ``close``.
    """

    def __init__(self, name: str, target: Target, call_in_reactor: CallInReactor, most_bytes: int) -> None:
        """Prepare an empty queue; the thread starts with the first write.

        Args:
            name: The thread's name.
            target: What does the writing.
            call_in_reactor: Runs a function in the reactor's thread.
            most_bytes: More than that never waits; what would exceed it is dropped and counted.
        """
        self._name = name
        self._target = target
        self._call_in_reactor = call_in_reactor
        self._most_bytes = most_bytes
        self.queued_bytes = 0
        self.dropped_records = 0
        self.dropped_bytes = 0
        self._queue: deque[tuple[bytes, int]] = deque()
        self._writing: list[tuple[bytes, int]] = []
        self._accepted = 0
        self._settled = 0
        self._waiters: deque[tuple[int, Deferred[None]]] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._thread: threading.Thread | None = None
        self._idle = False
        self._closed = False
        self._abandoned = False

    @property
    def failure(self) -> str | None:
        """Why writing fails at present, in the system's words; None while it does not."""
        return self._target.failure

    def write(self, data: bytes, records: int) -> None:
        """Queue complete records, or drop and count them when too much waits already.

        Args:
            data: Records, each ending in a newline.
            records: How many they are.
        """
        self._queue_or_drop(data, records)

    def _queue_or_drop(self, data: bytes, records: int) -> bool:
        """Do what ``write`` says; return whether it was queued."""
        with self._changed:
            if self._closed or self.queued_bytes + len(data) > self._most_bytes:
                self._drop(records, len(data))
                return False
            self._queue.append((data, records))
            self.queued_bytes += len(data)
            self._accepted += len(data)
            if self._idle:
                self._changed.notify()
        if self._thread is None:
            self.start()
        return True

    def start(self) -> None:
        """Start the thread, if it is not running yet; a system without threads left is tried again later."""
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return
        self._thread = thread

    def flush(self) -> Deferred[None]:
        """Return a Deferred that fires when all that was queued so far is written or given up."""
        with self._changed:
            if self._settled == self._accepted:
                return succeed(None)
            waiter: Deferred[None] = Deferred()
            self._waiters.append((self._accepted, waiter))
            return waiter

    def close(self, deadline: float) -> bool:
        """Write out what is queued and end the thread; what comes later is dropped and counted.

        This blocks, for it is meant for the time after the reactor; inside of it, wait for ``flush`` first.

        Args:
            deadline: Seconds after which what is left is given up.

        Returns:
            Whether everything was settled in time.
        """
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(deadline)
        with self._changed:
            left = [*self._writing, *self._queue]
            self._abandoned = True
            self._queue.clear()
            self._drop(*_sum(left))
        while self._waiters:
            self._waiters.popleft()[1].callback(None)
        return not left

    def _batch_settled(self) -> None:
        """Take note, in the thread, that the queue has become shorter; for subclasses."""

    def _run(self) -> None:
        while self._take():
            try:
                lost = self._target.write([data for data, _ in self._writing])
            except Exception:  # a dead thread would stop every child for ever
                lost = _sum(self._writing)
            self._settle(lost)
            self._batch_settled()
        lost = self._target.close()
        with self._changed:
            self._drop(*lost)

    def _take(self) -> bool:
        """Wait for something to write and take it out of the queue; no if there will be nothing more."""
        with self._changed:
            while not self._queue:
                if self._closed:
                    return False
                self._idle = True
                self._changed.wait()
                self._idle = False
            size = 0
            while self._queue and size < BATCH and len(self._writing) < MOST_BUFFERS:
                self._writing.append(self._queue.popleft())
                size += len(self._writing[-1][0])
            return True

    def _settle(self, lost: Lost) -> None:
        """Count what was written or lost, and wake those who waited for it."""
        with self._changed:
            if self._abandoned:
                return  # close() has counted it
            _, size = _sum(self._writing)
            self._writing = []
            self.queued_bytes -= size
            self._settled += size
            self._drop(*lost)
            reached = []
            while self._waiters and self._waiters[0][0] <= self._settled:
                reached.append(self._waiters.popleft()[1])
        for waiter in reached:
            self._call_in_reactor(waiter.callback, None)

    def _drop(self, records: int, size: int) -> None:
        self.dropped_records += records
        self.dropped_bytes += size


def _sum(writes: list[tuple[bytes, int]]) -> Lost:
    return sum(records for _, records in writes), sum(len(data) for data, _ in writes)
