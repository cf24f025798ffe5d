"""The labels that all events carry: fixed ones, and those of a file that may change at any time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from procwrap.core.eventlabels import read_labels
from procwrap.sinks.datagram import trimmed
from procwrap.spec.events import EventLabels

LOOK = 1.0
"""Seconds between two looks at the file, at least; nobody looks while there is nothing to tell."""
PATIENCE = 0.2
"""Seconds that an event waits for a look; a dead file system may take longer, and then it has old labels."""
MOST_BYTES = 1024 * 1024

Ask = Callable[[Callable[[str], Any], str], Deferred[Any]]
"""Asks a blocking question about something aside, in at most one thread at a time."""


@define(eq=False)
class PodLabels:
    """The labels as they are now.

    Args:
        wanted: says which labels there are.
        warn: called with one line when the file cannot be read; once until that works again.

    Attributes:
        current: what is known of them.
        looking: the file is being looked at, and whoever sends events had better wait.
        on_looked: each is called when that is over.
    """

    _wanted: EventLabels
    _clock: IReactorTime
    _ask: Ask
    _warn: Callable[[str], None]
    current: Mapping[str, str] = field(init=False)
    looking: bool = field(init=False, default=False)
    on_looked: list[Callable[[], None]] = field(init=False, factory=list)
    _asking: bool = field(init=False, default=False)
    _looked_at: float | None = field(init=False, default=None)
    _seen: tuple[int, ...] = field(init=False, default=())
    _warned: bool = field(init=False, default=False)
    _timer: IDelayedCall | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        """Begin with what needs no file."""
        self.current = trimmed(dict(self._wanted.fixed))

    def look(self) -> None:
        """Look whether the file has changed, unless that was done just now."""
        path, now = self._wanted.file, self._clock.seconds()
        if path is None or self._asking or (self._looked_at is not None and now < self._looked_at + LOOK):
            return
        self._looked_at = now
        self._asking = self.looking = True
        self._timer = self._clock.callLater(PATIENCE, self._too_late)
        maybeDeferred(self._ask, self._read, path).addCallbacks(self._read_it, self._cannot_read)

    def _read(self, path: str) -> tuple[tuple[int, ...], Mapping[str, str]] | None:
        """Read the file in a thread; None when it is the one that was read last."""
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(descriptor, "rb") as file:
            about = os.fstat(descriptor)
            seen = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns)
            if seen == self._seen:
                return None
            text = (file.read(MOST_BYTES) or b"").decode("utf-8", "surrogateescape")
        labels = read_labels(text, self._wanted.exclude)
        return seen, trimmed({**dict(self._wanted.fixed), **labels})

    def _read_it(self, found: tuple[tuple[int, ...], Mapping[str, str]] | None) -> None:
        if found is not None:
            self._seen, self.current = found
        self._warned = False
        self._looked()

    def _cannot_read(self, failure: Failure) -> None:
        if not self._warned:
            self._warned = True
            error = failure.value
            reason = error.strerror if isinstance(error, OSError) else repr(error)
            self._warn(f"cannot read the labels of events in {self._wanted.file}: {reason}")
        self._looked()

    def _looked(self) -> None:
        self._asking = False
        if self._timer is not None:
            self._timer.cancel()
        self._go_on()

    def _too_late(self) -> None:
        self._go_on()

    def _go_on(self) -> None:
        self._timer = None
        if self.looking:
            self.looking = False
            for go_on in self.on_looked:
                go_on()
