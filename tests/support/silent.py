"""Listeners that accept and never answer, and remember when who came and went."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType

from attrs import define, field


@define(eq=False)
class Visit:
    """One connection; times are monotonic seconds, ``left`` is None while it is open."""

    came: float
    said: bytes = b""
    left: float | None = None

    @property
    def stayed(self) -> float:
        """Seconds it was open."""
        assert self.left is not None
        return self.left - self.came


@define(eq=False)
class SilentListeners:
    """Some ports of 127.0.0.1, watched by one thread; a context manager.

    Attributes:
        count: how many.
        ports: theirs.
        visits: every connection to each of them, in order of their coming.
    """

    count: int
    ports: list[int] = field(factory=list)
    visits: dict[int, list[Visit]] = field(factory=dict)
    _ready: selectors.BaseSelector = field(factory=selectors.DefaultSelector)
    _over: Event = field(factory=Event)
    _thread: Thread = field(init=False)

    def __enter__(self) -> SilentListeners:
        for _ in range(self.count):
            listener = socket.create_server(("127.0.0.1", 0), backlog=100)
            listener.setblocking(False)
            port = listener.getsockname()[1]
            self.ports.append(port)
            self.visits[port] = []
            self._ready.register(listener, selectors.EVENT_READ, port)
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        for key in list(self._ready.get_map().values()):
            self._leave(key.fileobj)
        self._ready.close()

    def _watch(self) -> None:
        while not self._over.is_set():
            for key, _ in self._ready.select(0.2):
                now = time.monotonic()
                if isinstance(key.data, Visit):
                    self._hear(key.fileobj, key.data, now)
                else:
                    self._accept(key.fileobj, key.data, now)

    def _accept(self, listener: object, port: int, now: float) -> None:
        assert isinstance(listener, socket.socket)
        visitor, _ = listener.accept()
        visitor.setblocking(False)
        visit = Visit(now)
        self.visits[port].append(visit)
        self._ready.register(visitor, selectors.EVENT_READ, visit)

    def _hear(self, visitor: object, visit: Visit, now: float) -> None:
        assert isinstance(visitor, socket.socket)
        said = b""
        with suppress(OSError):
            said = visitor.recv(65536)
        visit.said += said
        if not said:
            visit.left = now
            self._leave(visitor)

    def _leave(self, fileobj: object) -> None:
        assert isinstance(fileobj, socket.socket)
        self._ready.unregister(fileobj)
        fileobj.close()
