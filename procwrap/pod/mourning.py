"""Watches the tombstones of others, and tells who has died."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet import inotify
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath

from procwrap.pod.tombstone import Tombstone

CALM = 0.02
"""Seconds between two visits, however often something changes there."""
AGAIN = 1.0
"""Seconds until a directory that cannot be watched is tried again."""

_CHANGES = inotify.IN_MOVED_TO | inotify.IN_CLOSE_WRITE | inotify.IN_DELETE_SELF | inotify.IN_MOVE_SELF

Visit = Callable[[], Deferred[tuple[float, Mapping[str, Tombstone]]]]
"""Makes sure that the directory is there and reads the tombstones, aside; with since when deaths count."""


@define(eq=False)
class Mourning:
    """Watches one graveyard with inotify(7).

    Any change leads to one visit to all tombstones that matter, a moment later. So nothing is missed when
    the kernel's queue of changes has overflowed, nor what happened before we began to watch.

    Args:
        graveyard: the directory.
        visit: reads it.
        on_death: is called with each name that has died and its tombstone, each death once.
        warn: is told once what is wrong until that is over.
    """

    _graveyard: str
    _visit: Visit
    _reactor: Any
    _on_death: Callable[[str, Tombstone], None]
    _warn: Callable[[str], None]
    _known: dict[str, float] = field(factory=dict)
    _watching: inotify.INotify | None = None
    _timer: IDelayedCall | None = None
    _visiting: bool = False
    _stale: bool = False
    _warned: bool = False
    _stopped: bool = False

    def begin(self) -> None:
        """Watch, and see who is dead already."""
        self._look()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped = True
        self._unwatch()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._visiting:
            self._stale = True
            return
        self._visiting, self._stale = True, False
        self._visit().addCallbacks(self._visited, self._could_not)

    def _visited(self, seen: tuple[float, Mapping[str, Tombstone]]) -> None:
        self._visiting = False
        if self._stopped:
            return
        since, stones = seen
        for name, stone in stones.items():
            died = stone.died
            if died is not None and died >= since and self._known.get(name) != died:
                self._known[name] = died
                self._on_death(name, stone)
        if self._watching is None:
            # What changed before the watch began shows at the visit after it.
            self._watch()
        elif self._stale:
            self._soon(CALM)
        else:
            self._warned = False

    def _could_not(self, failure: Failure) -> None:
        self._visiting = False
        self._complain(failure.value)
        self._soon(AGAIN)

    def _watch(self) -> None:
        try:
            watching = inotify.INotify(self._reactor)
            watching.startReading()
            self._watching = watching
            watching.watch(FilePath(self._graveyard.encode()), _CHANGES, callbacks=[self._changed])
        except (inotify.INotifyError, OSError) as error:
            self._unwatch()
            self._complain(error)
            self._soon(AGAIN)
        else:
            self._soon(0.0)

    def _changed(self, _: object, path: object, mask: int) -> None:
        if mask & (inotify.IN_DELETE_SELF | inotify.IN_MOVE_SELF):
            self._reactor.callLater(0, self._unwatch)
        self._soon(CALM)

    def _unwatch(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None and watching.connected:
            watching.loseConnection()

    def _soon(self, seconds: float) -> None:
        if self._timer is None and not self._stopped:
            self._timer = self._reactor.callLater(seconds, self._look)

    def _complain(self, error: BaseException | None) -> None:
        if not self._warned:
            self._warned = True
            reason = getattr(error, "strerror", None) or error
            self._warn(f"cannot watch the graveyard {self._graveyard}: {reason}; trying again")
