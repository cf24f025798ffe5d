"""An embedded store in a test's hands: its clock, its disk, and the end of its process."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from weakref import finalize

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from procwrap.lock.stores.journal import MEMORY, Journal
from procwrap.lock.stores.sqlite import SqliteStore
from procwrap.lock.wanted import Wanted

LONGEST = 10.0


def wanted(key: str = "db", value: str = "pod-1", **more: Any) -> Wanted:
    """Ask for a lease."""
    return Wanted(key, value, **{"ttl": 2.0, **more})


class Disk:
    """The thread that writes: at once, or when it is told to.

    Attributes:
        slow: what is to be written waits until ``go_on``.
        broken: what every write raises, if anything.
    """

    def __init__(self) -> None:
        self.slow = False
        self.broken: Exception | None = None
        self._waiting: list[tuple[Callable[[], None], Deferred[None]]] = []

    def do(self, work: Callable[[], None]) -> Deferred[None]:
        """Stand for ``deferToThreadPool``."""
        done: Deferred[None] = Deferred()
        self._waiting.append((work, done))
        if not self.slow:
            self.go_on()
        return done

    def go_on(self) -> None:
        """Do what waits."""
        while self._waiting:
            work, done = self._waiting.pop(0)
            try:
                if self.broken is not None:
                    raise self.broken
                work()
            except Exception as error:
                done.errback(error)
            else:
                done.callback(None)


class World:
    """A store that has begun, past the time in which one without a past grants nothing."""

    def __init__(self, path: str = MEMORY, *, longest: float = LONGEST, begun: bool = True) -> None:
        self.clock = Clock()
        self.path = path
        self.longest = longest
        self.ids = count(1)
        self.freed: list[str] = []
        self.start()
        if begun:
            self.pass_time(longest * 1.01)

    def start(self) -> None:
        """Begin a server's process."""
        self.disk = Disk()
        self.store = SqliteStore(
            Journal(self.path, self.disk.do), self.clock, lambda: 1.7e9, lambda: next(self.ids), self.longest
        )
        self.store.watch(self.freed.append)
        self.store.open()
        # No test has to think of it: the file is closed with the world that it belongs to.
        finalize(self, self.store._journal._connection.close)

    def pass_time(self, seconds: float) -> None:
        """Let this much time go by."""
        self.clock.pump([0, seconds, 0])

    def crash(self) -> None:
        """End the process without a word: what was not written is lost."""
        for call in self.clock.getDelayedCalls():
            call.cancel()
        self.store._journal._connection.close()

    def restart(self) -> None:
        """End the process, and begin another."""
        self.crash()
        self.start()
