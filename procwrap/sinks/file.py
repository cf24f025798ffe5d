"""The ``logFile`` of a process: its records in a rotating file too, without ever slowing it."""

from __future__ import annotations

from collections.abc import Callable

from procwrap.sinks.logfile import LogFile
from procwrap.sinks.writer import BackgroundWriter, CallInReactor

MOST_BYTES = 8 * 1024 * 1024


class RotatingFile(BackgroundWriter):
    """Appends records to a file of bounded size and keeps its older generations."""

    def __init__(
        self,
        path: str,
        max_bytes: int,
        backups: int,
        call_in_reactor: CallInReactor,
        report: Callable[[str], None],
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Prepare; the file is opened by the first write, which starts the thread.

        Args:
            path: The file. Older generations are ``path.1`` to ``path.N``.
            max_bytes: Size that the file does not exceed, unless a single record does. 0 never rotates.
            backups: How many older generations are kept; with 0 the file is emptied instead.
            call_in_reactor: ``reactor.callFromThread``.
            report: Is told, in the reactor's thread, when the file cannot be written, in one line.
            most_bytes: More than that never waits; a chunk that would exceed it is dropped and counted.
        """

        def report_from_thread(text: str) -> None:
            call_in_reactor(report, text)

        target = LogFile(path, max_bytes, backups, report_from_thread)
        super().__init__(path, target, call_in_reactor, most_bytes)
        self.resize = target.resize
        self.path = path
        self._report = report
        self._missing = 0

    def write(self, data: bytes, records: int) -> None:
        """Queue complete records, or drop them when too much waits; that is reported once."""
        if self._queue_or_drop(data, records):
            return
        if not self._missing:
            self._report(f"log file {self.path} is too slow; lines are missing until it has caught up")
        self._missing += records

    def _batch_settled(self) -> None:
        if self._missing and not self.queued_bytes:
            self._call_in_reactor(self._say_caught_up)

    def _say_caught_up(self) -> None:
        missing, self._missing = self._missing, 0
        if missing:
            self._report(f"log file {self.path} has caught up; {missing} lines are missing")
