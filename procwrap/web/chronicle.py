"""/api/events: the last things that happened, and those that do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.web.iweb import IRequest

from procwrap.core.journal import Journal
from procwrap.core.verdicts import Json
from procwrap.web.answers import Reply, data
from procwrap.web.following import Follower, Followers, dropped, wants_to_follow
from procwrap.web.needed import WhileNeeded
from procwrap.web.sse import event

KIND = "lifecycle"

DIGITS = 15
"""Longer ids are none of ours."""


@define(eq=False)
class Chronicle:
    """Shows the journal."""

    _journal: Journal
    _followers: Followers
    _joined: list[_Reader] = field(init=False, factory=list)
    _watch: WhileNeeded = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Take what comes while somebody follows."""
        self._watch = WhileNeeded(lambda: self._journal.follow(self._take))

    def asked(self, request: IRequest) -> Reply:
        """Answer with the last entries, or begin with them and go on.

        A client that says by ``Last-Event-ID`` where it was cut off gets what came since then.
        """
        if not wants_to_follow(request):
            return data({"events": self._journal.since(None)[0]})
        last = _last(request.requestHeaders.getRawHeaders(b"last-event-id", []))
        return self._followers.answer(request, lambda follower: self._join(follower, last))

    def _join(self, follower: Follower, last: int | None) -> Callable[[], None]:
        reader = _Reader(follower, self._journal, last)
        follower.gap = lambda _: reader.missed()
        follower.owe(reader.missed())
        self._joined.append(reader)
        self._watch.keep(self._joined)
        return lambda: self._leave(reader)

    def _leave(self, reader: _Reader) -> None:
        self._joined.remove(reader)
        self._watch.keep(self._joined)

    def _take(self, entry: Json) -> None:
        piece = written(entry)
        for reader in tuple(self._joined):
            reader.take(entry, piece)


@define(eq=False)
class _Reader:
    """One who follows; what it could not be sent is in the journal still.

    Attributes:
        last: the id of the last entry that it was sent, or will be.
    """

    _follower: Follower
    _journal: Journal
    last: int | None

    def take(self, entry: Any, piece: bytes) -> None:
        if self._follower.send(piece):
            self.last = entry["id"]

    def missed(self) -> list[bytes]:
        entries, gone = self._journal.since(self.last)
        last: Any = entries[-1]["id"] if entries else self.last
        self.last = last
        return [*(dropped(gone) if gone else ()), *map(written, entries)]


def written(entry: Json) -> bytes:
    """Write one entry as an event."""
    number: Any = entry["id"]
    return event(KIND, entry, number)


def _last(headers: list[bytes]) -> int | None:
    text = headers[0].strip() if headers else b""
    return int(text) if text.isdigit() and len(text) <= DIGITS else None
