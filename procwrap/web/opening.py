"""The first event of /live: all that is true at one moment, written once for all who come then.

With ten minutes of history of a hundred processes it is half a megabyte; to write that takes longer than
anybody else may be kept waiting, so it is done a little at a time. And after a break of the network all pages
come back at the same moment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from attrs import define, field
from twisted.internet.task import CooperativeTask, Cooperator, TaskFinished, TaskStopped
from twisted.logger import Logger

from procwrap.core.history import Past
from procwrap.core.snapshot import ProcessView
from procwrap.core.verdicts import Json

FRESH = 1.0
"""Seconds in which those who come get the same one."""

LATER = 256 * 1024
"""Bytes of later events after which it is fresh no more."""

PIECE = 32 * 1024
"""Bytes that are put together before they are written."""

_log = Logger()


@define(eq=False)
class Opening:
    """What was true at one moment, and what was told since.

    Args:
        host: as it was.
        views: the processes as they were, each with its past.
        process: shows one of them.
        at: when that was, in seconds of the clock.
    """

    _host: Json
    _views: Sequence[tuple[ProcessView, Past]]
    _process: Callable[[ProcessView], Json]
    at: float
    _pieces: list[bytes] = field(init=False, factory=list)
    _later: list[bytes] = field(init=False, factory=list)
    _later_size: int = field(init=False, default=0)
    _task: CooperativeTask[Any] | None = field(init=False, default=None)
    _written: bool = field(init=False, default=False)
    _waiting: list[Callable[[list[bytes]], None]] = field(init=False, factory=list)

    def write(self, slices: Cooperator) -> None:
        """Begin to write it."""
        self._task = slices.cooperate(self._write())
        self._task.whenDone().addCallbacks(
            lambda _: self._hand_out(),
            lambda failure: (
                None if failure.check(TaskStopped) else _log.failure("cannot write what is true", failure)
            ),
        )

    def drop(self) -> None:
        """Write no more of it: nobody waits for it."""
        if self._task is not None and not self._written:
            with suppress(TaskFinished):  # by an error
                self._task.stop()

    def is_fresh(self, now: float) -> bool:
        """Return whether another one may still begin with it, or others still wait for it."""
        return not self._written or (now - self.at < FRESH and self._later_size < LATER)

    def then(self, piece: bytes) -> None:
        """Add what was told since; it is told to those who still wait, too."""
        self._later.append(piece)
        self._later_size += len(piece)

    def when_written(self, begin: Callable[[list[bytes]], None]) -> None:
        """Call ``begin`` with all of it, now or later."""
        if self._written:
            begin(self._all())
        else:
            self._waiting.append(begin)

    def _hand_out(self) -> None:
        self._written = True
        waiting, self._waiting = self._waiting, []
        for begin in waiting:
            begin(self._all())

    def _all(self) -> list[bytes]:
        return [*self._pieces, *self._later]

    def _write(self) -> Iterator[None]:
        text = f'event: snapshot\ndata: {{"host":{_json(self._host)},"processes":['
        comma = ""
        for view, past in self._views:
            shown = {**self._process(view), "history": past.told(self.at)}
            text += comma + _json(shown)
            comma = ","
            if len(text) >= PIECE:
                self._pieces.append(_bytes(text))
                text = ""
            yield
        self._pieces.append(_bytes(text + "]}\n\n"))


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
