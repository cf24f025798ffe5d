"""The last things that happened, numbered, for those who ask what they have missed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from attrs import define, field

from procwrap.core.entries import entry
from procwrap.core.events import Event
from procwrap.core.joining import join
from procwrap.core.snapshot import Snapshot
from procwrap.core.timestamp import rfc3339
from procwrap.core.verdicts import Json

MOST = 1000
"""Entries that are kept."""

Take = Callable[[Json], None]


@define(eq=False)
class Journal:
    """Keeps entries with ``id`` and ``time``; each id is one more than the one before.

    The first id is the time at which the journal begins, in milliseconds: so those of a later run of procwrap
    follow those of an earlier one, and whoever was cut off by a restart resumes as after any other break.

    Args:
        wall: seconds since the epoch.
    """

    _wall: Callable[[], float]
    _kept: deque[Json] = field(init=False, factory=lambda: deque(maxlen=MOST))
    _takers: list[Take] = field(init=False, factory=list)
    _first: int = field(init=False)
    _next: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Choose the first id."""
        self._first = self._next = int(self._wall() * 1000)

    def note(self, _: Snapshot, event: Event) -> None:
        """Take note of an event; a watcher of the board."""
        told = entry(event)
        if told is None:
            return
        at = getattr(event, "wall", None)
        written: Json = {"id": self._next, "time": rfc3339(self._wall() if at is None else at), **told}
        self._next += 1
        self._kept.append(written)
        for take in tuple(self._takers):
            take(written)

    def since(self, last: int | None) -> tuple[list[Json], int]:
        """Return the entries after the one with this id, and how many are missing in between.

        Args:
            last: None for all that are kept. So are all returned when no entry can have had this id yet.
        """
        kept = list(self._kept)
        if last is None or last >= self._next or not kept:
            return kept, 0
        oldest = self._next - len(kept)
        if last < oldest:
            return kept, oldest - 1 - last if last >= self._first else 0
        return kept[last + 1 - oldest :], 0

    def follow(self, take: Take) -> Callable[[], None]:
        """Call ``take`` with every entry from now on.

        Returns:
            A callable that ends this; calling it twice does no harm.
        """
        return join(self._takers, take)
