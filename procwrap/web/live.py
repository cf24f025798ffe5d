"""/live: what is true, and then every change of it, for the status page.

Nothing is watched while nobody follows. What changes is put together for a moment and written once for all:
a process that changes all the time is shown ten times a second, and a hundred pages that follow a hundred
processes cost little more than one.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import Cooperator
from twisted.web.iweb import IRequest

from procwrap.core.board import Board
from procwrap.core.events import Event
from procwrap.core.history import History
from procwrap.core.snapshot import Snapshot
from procwrap.web.answers import Reply
from procwrap.web.following import Follower, Followers
from procwrap.web.needed import WhileNeeded
from procwrap.web.news import News
from procwrap.web.opening import Opening
from procwrap.web.shown import Shown

PERIOD = 0.1
"""Seconds between two writes; the first change after a pause does not wait for so long."""

SOON = 0.01
"""Seconds in which what happens together comes together."""

AT_ONCE = 100
"""Processes that are written at one go."""


@define(eq=False)
class Live:
    """Tells followers what changes.

    Args:
        slices: as from ``procwrap.web.slices``.
    """

    _board: Board
    _history: History
    _shown: Shown
    _news: News
    _clock: IReactorTime
    _slices: Cooperator
    _followers: Followers
    _joined: dict[Follower, bool] = field(init=False, factory=dict)
    """Those who follow, and whether they have what was true, so that they are told what changes."""
    _opening: Opening | None = field(init=False, default=None)
    _written_at: float = field(init=False, default=0.0)
    _timer: IDelayedCall | None = field(init=False, default=None)
    _watch: WhileNeeded = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Collect news while somebody follows."""
        self._watch = WhileNeeded(self._begin_to_watch)

    def asked(self, request: IRequest) -> Reply:
        """Answer with everything that is true, and go on."""
        return self._followers.answer(request, self._join)

    def _join(self, follower: Follower) -> Callable[[], None]:
        self._watch.keep(True)
        self._begin(follower)
        follower.gap = lambda _: self._begin(follower)
        return lambda: self._leave(follower)

    def _begin_to_watch(self) -> Callable[[], None]:
        self._news.begin()
        return self._board.watch(self._look)

    def _leave(self, follower: Follower) -> None:
        del self._joined[follower]
        self._watch.keep(self._joined)
        if not self._joined:
            if self._opening is not None:
                self._opening.drop()
                self._opening = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _begin(self, follower: Follower) -> tuple[bytes, ...]:
        """Let a follower begin with what is true: it has just come, or has missed something."""

        def begin(pieces: list[bytes]) -> None:
            if follower in self._joined:
                self._joined[follower] = True
                follower.owe(pieces)

        self._joined[follower] = False
        self._current().when_written(begin)
        return ()

    def _current(self) -> Opening:
        self._forget_the_old()
        if self._opening is None:
            while self._news.is_any:
                # It is part of the new one.
                self._write()
            views = self._board.snapshot.processes.values()
            captured = [(view, self._history.of(view.name)) for view in views]
            now = self._clock.seconds()
            self._opening = Opening(self._shown.host(), captured, self._shown.process, now)
            self._opening.write(self._slices)
        return self._opening

    def _forget_the_old(self) -> None:
        if self._opening is not None and not self._opening.is_fresh(self._clock.seconds()):
            self._opening = None

    def _look(self, snapshot: Snapshot, happened: Event) -> None:
        self._news.note(snapshot, happened)
        if self._timer is None and self._news.is_any:
            due = max(self._written_at + PERIOD - self._clock.seconds(), SOON)
            self._timer = self._clock.callLater(due, self._write_in_time)

    def _write_in_time(self) -> None:
        self._timer = None
        self._written_at = self._clock.seconds()
        self._write()
        if self._news.is_any:
            self._timer = self._clock.callLater(0, self._write_in_time)

    def _write(self) -> None:
        piece = self._news.take(AT_ONCE)
        self._forget_the_old()
        if self._opening is not None:
            self._opening.then(piece)
        for follower in [follower for follower, begun in self._joined.items() if begun]:
            follower.send(piece)
