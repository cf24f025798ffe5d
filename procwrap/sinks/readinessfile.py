"""The readiness file: it is there while, and because, everything is up and healthy."""

from __future__ import annotations

import os
from collections.abc import Callable

from attrs import define, field

from procwrap.core.events import Event
from procwrap.core.snapshot import Snapshot
from procwrap.core.timestamp import rfc3339
from procwrap.core.verdicts import is_ready

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MODE = 0o644


@define(eq=False)
class ReadinessFile:
    """Writes the file once all is ready, and removes it when the end begins.

    Attributes:
        path: of the file; what it contains is the time it was written, in RFC 3339.
        follow: also remove it while something is not healthy, and write it again afterwards.
        wall: seconds since the epoch.
        warn: called with one line when the file cannot be written or removed; once until that works again.
    """

    _path: str
    _follow: bool
    _wall: Callable[[], float]
    _warn: Callable[[str], None]
    _seen: Snapshot | None = field(init=False, default=None)
    _written: bool = field(init=False, default=False)
    _warned: bool = field(init=False, default=False)

    def begin(self) -> None:
        """Remove the file of a previous run, so that nobody takes it for ours."""
        self._try("remove", self._remove)

    def watch(self, snapshot: Snapshot, event: Event) -> None:
        """Follow what is told on the board; what could not be done is tried again at each change."""
        if snapshot is self._seen:
            return
        self._seen = snapshot
        if self._wanted(snapshot) == self._written:
            return
        if self._written:
            self._try("remove", self._remove)
        else:
            self._try("write", self._write)

    def stop(self) -> None:
        """Remove the file if it is ours."""
        if self._written:
            self._try("remove", self._remove)

    def _wanted(self, snapshot: Snapshot) -> bool:
        if self._written and not self._follow:
            return not snapshot.shutdown
        return is_ready(snapshot)

    def _try(self, what: str, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError as error:
            if not self._warned:
                self._warned = True
                self._warn(f"cannot {what} the readiness file {self._path}: {error.strerror or error}")
        else:
            self._warned = False

    def _write(self) -> None:
        # A reader sees all of it or nothing, and a link that somebody put there leads nowhere.
        unfinished = f"{self._path}.procwrap-{os.getpid()}"
        _unlink(unfinished)
        try:
            with open(os.open(unfinished, _NEW, _MODE), "w", encoding="ascii") as file:
                file.write(rfc3339(self._wall()) + "\n")
            os.replace(unfinished, self._path)
        except OSError:
            _unlink(unfinished)
            raise
        self._written = True

    def _remove(self) -> None:
        _unlink(self._path)
        self._written = False


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
