"""A log file and its older generations: ``path``, ``path.1`` … ``path.N``, the newest first.

This runs in the thread of a ``BackgroundWriter``. A record is never lost nor split by a rotation: it happens
between records, and when it is not possible the file just grows on.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable

from attrs import define, field

from procwrap.sinks.descriptor import NOTHING_LOST, Descriptor, Lost

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOCTTY


@define(eq=False)
class LogFile:
    """Appends records to a file and rotates it before it exceeds a size.

    A file that someone else moves away or deletes is opened anew, so other rotators work too. While it cannot
    be opened or written, records are given up; it is tried again with each batch, and reported just once.
    """

    _path: str
    _max_bytes: int
    _backups: int
    _report: Callable[[str], None]
    failure: str | None = field(default=None, init=False)
    _descriptor: Descriptor | None = field(default=None, init=False)
    _identity: tuple[int, int] = field(default=(0, 0), init=False)
    _size: int = field(default=0, init=False)
    _limit: int = field(default=0, init=False)
    _missing: int = field(default=0, init=False)
    """Records given up since the failure began."""

    def write(self, batch: list[bytes]) -> Lost:
        """Append complete records and return what had to be given up."""
        data = b"".join(batch)
        try:
            descriptor, lost = self._open_descriptor()
        except OSError as error:
            lost = data.count(b"\n"), len(data)
            self._judge(error.strerror or str(error), lost)
            return lost
        lost = _add(lost, self._append(descriptor, data))
        self._judge(descriptor.failure, lost)
        return lost

    def resize(self, max_bytes: int, backups: int) -> None:
        """Rotate by other bounds from the next write on; may be called in any thread."""
        self._max_bytes, self._backups = max_bytes, backups
        if self._limit != sys.maxsize:
            self._limit = max_bytes if max_bytes > 0 else sys.maxsize

    def close(self) -> Lost:
        """Close the file."""
        lost = NOTHING_LOST
        if self._descriptor is not None:
            lost = self._descriptor.close()
            os.close(self._descriptor.fd)
            self._descriptor = None
        return lost

    def _append(self, descriptor: Descriptor, data: bytes) -> Lost:
        lost = NOTHING_LOST
        start = 0
        while start < len(data):
            end = self._fitting(data, start)
            if not end and self._size and not descriptor.torn:
                descriptor = self._rotate(descriptor)
                end = self._fitting(data, start)
            end = end or data.index(b"\n", start) + 1  # one record that is larger than a file may be
            lost = _add(lost, descriptor.write([data[start:end]]))
            self._size = os.fstat(descriptor.fd).st_size
            start = end
        return lost

    def _fitting(self, data: bytes, start: int) -> int:
        """Return where the records from ``start`` on that fit into the file end; 0 if none does."""
        room = max(self._limit - self._size, 0)
        return len(data) if len(data) - start <= room else data.rfind(b"\n", start, start + room) + 1

    def _rotate(self, descriptor: Descriptor) -> Descriptor:
        try:
            if self._backups <= 0:
                os.ftruncate(descriptor.fd, 0)
                self._size = 0
                return descriptor
            self._shift()
            return self._open()
        except OSError as error:
            self._report(f"cannot rotate log file {self._path}: {error.strerror}; it grows on")
            self._limit = self._size + self._max_bytes
            return descriptor

    def _shift(self) -> None:
        """Move every generation up by one; the oldest one makes room by being overwritten."""
        oldest = 1
        while oldest < self._backups and os.path.lexists(f"{self._path}.{oldest}"):
            oldest += 1
        for number in range(oldest, 1, -1):
            os.replace(f"{self._path}.{number - 1}", f"{self._path}.{number}")
        os.replace(self._path, f"{self._path}.1")

    def _open_descriptor(self) -> tuple[Descriptor, Lost]:
        """Return what to write to, opened anew if the path leads elsewhere by now.

        Raises:
            OSError: The path cannot be opened, and the file we had is deleted or there was none.
        """
        old = self._descriptor
        if old is not None and not old.gone and _identity(self._path) == self._identity:
            return old, NOTHING_LOST
        try:
            return self._open(), old.close() if old is not None else NOTHING_LOST
        except OSError:
            if old is None or old.gone or os.fstat(old.fd).st_nlink == 0:
                raise
            return old, NOTHING_LOST

    def _open(self) -> Descriptor:
        """Open the path, and only then close what was open before."""
        fd = os.open(self._path, _FLAGS, 0o644)
        status = os.fstat(fd)
        rotates = stat.S_ISREG(status.st_mode)
        self._size = status.st_size if rotates else 0
        self._limit = self._max_bytes if rotates and self._max_bytes > 0 else sys.maxsize
        self._identity = status.st_dev, status.st_ino
        if self._descriptor is not None:
            os.close(self._descriptor.fd)
        self._descriptor = Descriptor(fd, torn=b"\n" if self._size and _ends_in_a_line(self._path) else b"")
        return self._descriptor

    def _judge(self, failure: str | None, lost: Lost) -> None:
        """Report when writing begins to fail, and when it works again."""
        self._missing += lost[0]
        if failure and not self.failure:
            self._report(
                f"cannot write log file {self._path}: {failure}; lines are missing until it works again"
            )
        elif self.failure and not failure:
            self._report(f"log file {self._path} works again; {self._missing} lines are missing")
            self._missing = 0
        self.failure = failure


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _ends_in_a_line(path: str) -> bool:
    """Whether the last line of a file was never finished, as after a crash in the middle of a write."""
    try:
        with open(path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except OSError:
        return False


def _add(one: Lost, other: Lost) -> Lost:
    return one[0] + other[0], one[1] + other[1]
