"""procwrap's own log: events and Twisted's own messages become records like those of the children."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.logger import ILogObserver, LogLevel, formatEvent
from zope.interface import implementer

from procwrap.core.events import Event, Level
from procwrap.core.snapshot import Snapshot
from procwrap.logs.record import own_record
from procwrap.logs.stamp import Stamper
from procwrap.sinks.wording import message

_RANK = {level: rank for rank, level in enumerate(Level)}
_LEVELS = {
    LogLevel.debug: Level.DEBUG,
    LogLevel.info: Level.DEBUG,  # what Twisted says about its factories is for nobody's eyes
    LogLevel.warn: Level.WARNING,
    LogLevel.error: Level.ERROR,
    LogLevel.critical: Level.ERROR,
}


@implementer(ILogObserver)
@define(eq=False)
class OwnLog:
    """A Board watcher and a Twisted log observer that writes records.

    Args:
        write: takes one record.
        now: seconds since the epoch.
        log_format: logfmt, auto, json or free.
        least: what is less severe is left out.
    """

    _write: Callable[[bytes], None]
    _now: Callable[[], float]
    _log_format: str
    _least: Level
    _stamp: Stamper = field(factory=Stamper)

    def say(self, level: Level, text: str, fields: Mapping[str, object] | None = None) -> None:
        """Write one message."""
        if _RANK[level] >= _RANK[self._least]:
            self._write(own_record(self._log_format, self._stamp(self._now()), level.value, text, fields))

    def watch(self, snapshot: Snapshot, event: Event) -> None:
        """Say what there is to say about an event."""
        said = message(event)
        if said is not None:
            self.say(said.level, said.text, said.fields)

    def broken(self, error: Exception) -> None:
        """Say that a part of procwrap failed to handle an event."""
        self.say(Level.ERROR, f"a bug in procwrap: {error!r}")

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Observe Twisted's log (ILogObserver): one record an event, a failure with its last frame."""
        level = _LEVELS.get(event.get("log_level", LogLevel.info), Level.DEBUG)
        if event.get("isError"):
            level = Level.ERROR
        self.say(level, _text(event))


def _text(event: Mapping[str, Any]) -> str:
    text = formatEvent(dict(event)) or ""
    failure = event.get("log_failure") or event.get("failure")
    if failure is None:
        return text or str(event.get("log_text", ""))
    head = text.splitlines()[0] if text else "unexpected error"
    place = f" at {failure.frames[-1][1]}:{failure.frames[-1][2]}" if failure.frames else ""
    return f"{head}: {failure.type.__name__}: {failure.getErrorMessage()}{place}"
