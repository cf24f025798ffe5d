"""/api/processes/NAME/logs: the last records of a process, and those that come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import define, field
from twisted.web.iweb import IRequest

from procwrap.core.board import Board
from procwrap.core.events import Event
from procwrap.core.snapshot import Snapshot
from procwrap.web.answers import OK, TEXT, BadRequestError, Reply, argument
from procwrap.web.following import Follower, Followers, wants_to_follow
from procwrap.web.needed import WhileNeeded
from procwrap.web.processes import NO_SUCH_PROCESS
from procwrap.web.sse import records

LINES = 100
"""Records that are shown unless another number is asked for."""

MOST_LINES = 1000

PIECE = 64 * 1024
"""Bytes that are written at one go."""

Forget = Callable[[], None]


class Tail(Protocol):
    """The records of one process."""

    def tail(self, lines: int) -> bytes:
        """Return the newest records, at most so many."""

    def follow(self, take: Callable[[bytes, int], None]) -> Forget:
        """Call ``take`` with records and how many they are, from now on."""


@define(eq=False)
class _Feed:
    """What comes from one process: made into events once for all who follow it."""

    _tail: Tail
    followers: list[Follower] = field(factory=list)
    _watch: WhileNeeded = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Take what comes while somebody follows."""
        self._watch = WhileNeeded(lambda: self._tail.follow(self._take))

    def join(self, follower: Follower) -> None:
        """Let another one follow."""
        self.followers.append(follower)
        self._watch.keep(self.followers)

    def leave(self, follower: Follower) -> None:
        """Let one go."""
        self.followers.remove(follower)
        self._watch.keep(self.followers)

    def _take(self, data: bytes, count: int) -> None:
        for piece, contained in records(data, count):
            for follower in tuple(self.followers):
                follower.send(piece, contained)


@define(eq=False)
class Logs:
    """Shows what processes have printed, as it stands on stdout.

    Args:
        tail_of: the records of a process, by its name.
    """

    _board: Board
    _tail_of: Callable[[str], Tail | None]
    _followers: Followers
    _feeds: dict[str, _Feed] = field(init=False, factory=dict)
    _watch: WhileNeeded = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Look who is removed while somebody follows."""
        self._watch = WhileNeeded(lambda: self._board.watch(self._look))

    def asked(self, request: IRequest, name: str) -> Reply:
        """Answer with the last records, or begin with them and go on."""
        tail = self._tail_of(name) if name in self._board.snapshot.processes else None
        if tail is None:
            return NO_SUCH_PROCESS
        lines = _lines(argument(request, "lines"))
        if wants_to_follow(request):
            return self._followers.answer(request, lambda follower: self._join(name, tail, lines, follower))
        text = tail.tail(lines)
        return Reply(
            OK,
            content_type=TEXT,
            pieces=[text[start : start + PIECE] for start in range(0, len(text), PIECE)],
        )

    def _join(self, name: str, tail: Tail, lines: int, follower: Follower) -> Forget:
        feed = self._feeds.get(name)
        if feed is None:
            feed = self._feeds[name] = _Feed(tail)
        self._watch.keep(self._feeds)
        text = tail.tail(lines)
        if text:
            follower.owe(piece for piece, _ in records(text, 0))
        feed.join(follower)
        return lambda: self._leave(name, feed, follower)

    def _leave(self, name: str, feed: _Feed, follower: Follower) -> None:
        feed.leave(follower)
        if not feed.followers and self._feeds.get(name) is feed:
            del self._feeds[name]
        self._watch.keep(self._feeds)

    def _look(self, snapshot: Snapshot, _: Event) -> None:
        for name in tuple(self._feeds):
            if name not in snapshot.processes:
                for follower in tuple(self._feeds[name].followers):
                    follower.end()


def _lines(text: str | None) -> int:
    if text is None:
        return LINES
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST_LINES)) + 3):
        raise BadRequestError(f"lines={text[:40]}: expected a number from 0 to {MOST_LINES}")
    return min(int(text), MOST_LINES)
