"""A reactor that reads when a test says so."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.python.failure import Failure


class Readers(Clock):
    """Knows whom it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[Any] = set()

    def addReader(self, reader: Any) -> None:
        self.readers.add(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.discard(reader)

    def removeWriter(self, writer: Any) -> None:
        return

    def turn(self) -> None:
        """Read once from everybody, as one iteration of a reactor does.

        What is planned meanwhile is left for the next one, other than with ``advance``.
        """
        for call in self.getDelayedCalls():
            planned = call.func
            call.cancel()
            planned()
        for reader in list(self.readers):
            reason = reader.doRead()
            if reason is not None:
                self.removeReader(reader)
                reader.connectionLost(Failure(reason))
