"""procwrap's standard output: everything arrives, in order, and nobody waits for it but the children."""

from __future__ import annotations

from procwrap.sinks.descriptor import Descriptor
from procwrap.sinks.pressure import LAST_HIGH, LAST_LOW, Pressure
from procwrap.sinks.writer import BackgroundWriter, CallInReactor

MOST_BYTES = 64 * 1024 * 1024
"""What can wait at most. The pressure keeps far below it; only procwrap's own messages and the last output
of children that end while nobody reads come on top."""


class Outlet(BackgroundWriter):
    """Writes records to a descriptor: a pipe, a file, a terminal or a socket."""

    def __init__(
        self,
        fd: int,
        call_in_reactor: CallInReactor,
        pressure: Pressure | None = None,
        most_bytes: int = MOST_BYTES,
        last_pressure: Pressure | None = None,
    ) -> None:
        """Prepare; nothing is started yet and the descriptor's flags are never touched.

        Args:
            fd: Where to write. It stays open.
            call_in_reactor: ``reactor.callFromThread``.
            pressure: Pauses the children while too much waits here.
            most_bytes: More than that never waits; what would exceed it is dropped and counted.
            last_pressure: Pauses what children left in their pipes when they ended.
        """
        super().__init__("stdout", Descriptor(fd), call_in_reactor, most_bytes)
        self._pressures = (pressure or Pressure(), last_pressure or Pressure(LAST_HIGH, LAST_LOW))

    def write(self, data: bytes, records: int) -> None:
        """Queue complete records; the children are paused when too much waits."""
        super().write(data, records)
        self._tell_level()
        if any(pressure.paused for pressure in self._pressures):
            # Between the two, the thread may have written all there was without seeing that we paused.
            self._tell_level()

    def _tell_level(self) -> None:
        for pressure in self._pressures:
            pressure.level(self.queued_bytes)

    def _batch_settled(self) -> None:
        if any(pressure.relieved_by(self.queued_bytes) for pressure in self._pressures):
            self._call_in_reactor(self._tell_level)
