"""A process that runs, as Twisted sees one: the transport between its descriptors and its protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from procwrap.children.group import send_to_group
from procwrap.children.output import LINGER, PipeReader
from procwrap.children.protocol import reason_of
from procwrap.children.timer import Timer
from procwrap.children.turns import Turns
from procwrap.core.events import End

Hold = Callable[[PipeReader], Callable[[], None]]
"""Puts a reader under back-pressure, according to its ``last``; what it returns takes it out again."""


class Running:
    """One process from its execution until its last byte was read.

    Its end is the exit of the process itself. Its pipes are read until they are closed, or until
    ``LINGER`` seconds after the exit when a descendant keeps them open; what was in them by then is read.

    Args:
        reactor: IReactorFDSet and IReactorTime.
        protocol: an IProcessProtocol.
        pid: the process, leader of its own group.
        pipes: for each of its descriptors our reading end.
        hold: puts its pipes under back-pressure.
        turns: share the time out between all that read.
    """

    def __init__(
        self,
        reactor: Any,
        protocol: ProcessProtocol,
        pid: int,
        pipes: Mapping[int, int],
        hold: Hold,
        turns: Turns,
    ) -> None:
        self._reactor = reactor
        self._protocol = protocol
        self._hold = hold
        self._turns = turns
        self.pid: int | None = pid
        self.group = pid
        self._end: End | None = None
        self._concluded = False
        self._lingering = Timer(reactor)
        self._readers: dict[int, PipeReader] = {}
        self._releases: dict[int, Callable[[], None]] = {}
        protocol.makeConnection(self)
        for number, fd in pipes.items():
            self._read(number, fd)

    def _read(self, number: int, fd: int) -> None:
        received = partial(self._protocol.childDataReceived, number)
        reader = PipeReader(self._reactor, fd, received, partial(self._lost, number), self._turns)
        self._readers[number] = reader
        self._releases[number] = self._hold(reader)

    def ended(self, end: End) -> None:
        """Take note of the exit; the reaper calls this while the process is still a zombie."""
        self.pid = None
        # Its last words come before the news of its end.
        for reader in list(self._readers.values()):
            if not reader.paused:
                reader.catch_up()
        self._end = end
        self._read_the_last()
        if self._readers:
            self._lingering.arm(LINGER, self._give_up_reading)
        self._protocol.processExited(reason_of(end))
        self._conclude()

    def signal(self, number: int) -> bool:
        """Send a signal to the process and everything in its group; False when it has ended."""
        return self.pid is not None and send_to_group(self.group, number)

    def finish_reading(self) -> None:
        """Read what is in the pipes at this moment and close them, whoever else still holds them."""
        for reader in list(self._readers.values()):
            reader.finish_now()

    def _read_the_last(self) -> None:
        """Hold the pipes as those of an ended process: else each run would leave its own open behind it."""
        for number, reader in list(self._readers.items()):
            self._releases[number]()
            reader.last = True
            if reader.paused:
                reader.resumeProducing()
            self._releases[number] = self._hold(reader)

    def _give_up_reading(self) -> None:
        if any(reader.paused for reader in self._readers.values()):
            # Held back by us, not by a descendant: what is in there must still come out.
            self._lingering.arm(LINGER, self._give_up_reading)
        else:
            self.finish_reading()

    def _lost(self, number: int, reason: Failure) -> None:
        del self._readers[number]
        self._releases.pop(number)()
        self._protocol.childConnectionLost(number)
        self._conclude()

    def _conclude(self) -> None:
        if self._end is None or self._readers or self._concluded:
            return
        self._concluded = True
        self._lingering.disarm()
        self._protocol.processEnded(reason_of(self._end))
