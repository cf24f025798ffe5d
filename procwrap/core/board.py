"""The one road outward: events are told here, everything that shows something watches here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field

from procwrap.core.events import Event
from procwrap.core.joining import join
from procwrap.core.snapshot import Snapshot, reduce

Watcher = Callable[[Snapshot, Event], None]


@define(eq=False)
class Board:
    """Holds the snapshot and tells its watchers of every event, in order and never re-entered.

    Attributes:
        on_broken: called with the exception of a watcher that raised; the others are still told.
    """

    _on_broken: Callable[[Exception], None]
    _snapshot: Snapshot = field(factory=Snapshot)
    _watchers: list[Watcher] = field(factory=list)
    _waiting: deque[Event] = field(factory=deque)
    _telling: bool = False

    @property
    def snapshot(self) -> Snapshot:
        """What is true now."""
        return self._snapshot

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher(snapshot, event)`` after every event from now on.

        Returns:
            A callable that ends this; calling it twice does no harm.
        """
        return join(self._watchers, watcher)

    def tell(self, event: Event) -> None:
        """Record an event. Events told by a watcher wait until all have seen the current one."""
        self._waiting.append(event)
        if self._telling:
            return
        self._telling = True
        try:
            while self._waiting:
                self._publish(self._waiting.popleft())
        finally:
            self._telling = False

    def _publish(self, event: Event) -> None:
        self._snapshot = reduce(self._snapshot, event)
        for watcher in tuple(self._watchers):
            try:
                watcher(self._snapshot, event)
            except Exception as broken:
                self._on_broken(broken)
