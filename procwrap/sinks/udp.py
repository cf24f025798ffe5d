"""Events to a UDP server, as the seed sends them; nothing ever waits for it."""

from __future__ import annotations

from collections import deque

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from procwrap.core.events import Event
from procwrap.core.snapshot import Snapshot
from procwrap.sinks.datagram import encode
from procwrap.sinks.podlabels import PodLabels
from procwrap.sinks.seedevents import SeedEvent, SeedEvents
from procwrap.sinks.udpline import UdpLine

MOST_WAITING = 10_000
"""Events that wait for the address, the labels or the kernel; of more, the oldest are dropped."""
SLICE = 100
"""Events that are sent in one go, which takes about 3 ms."""
PAUSE = 0.01
"""Seconds until the kernel is offered again what it had no room for."""
LAST = 0.5
"""Seconds that the end of everything waits for what is left."""


@define(eq=False)
class UdpSink:
    """A Board watcher that sends what the seed would.

    Attributes:
        dropped: events that were given up before they could be offered to the kernel.
    """

    _events: SeedEvents
    _labels: PodLabels
    _line: UdpLine
    _clock: IReactorTime
    dropped: int = field(init=False, default=0)
    _waiting: deque[SeedEvent] = field(init=False, factory=deque)
    _timer: IDelayedCall | None = field(init=False, default=None)
    _pumping: bool = field(init=False, default=False)
    _flushed: Deferred[None] | None = field(init=False, default=None)

    @property
    def counts(self) -> dict[str, int]:
        """What became of events: ``sent`` to the kernel, ``refused`` by it or the host, ``dropped`` here."""
        return {"sent": self._line.sent, "refused": self._line.lost, "dropped": self.dropped}

    def begin(self) -> None:
        """Find the server and the labels before there is anything to tell."""
        self._labels.on_looked.append(self._pump)
        self._line.on_asked = self._pump
        self._labels.look()
        self._line.prepare()

    def watch(self, snapshot: Snapshot, event: Event) -> None:
        """Tell what there is to tell about an event."""
        told_something = False
        for told in self._events.of(snapshot, event):
            told_something = True
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(told)
        if told_something:
            self._pump()

    def flush(self) -> Deferred[None]:
        """Send what waits; fires when that is done, or after half a second."""
        if not self._waiting:
            return succeed(None)
        if self._flushed is None:
            self._flushed = Deferred()
            self._clock.callLater(LAST, self._give_up)
        return self._flushed

    def _pump(self) -> None:
        # What is reported meanwhile comes back here.
        if self._timer is not None or self._pumping:
            return
        self._pumping = True
        try:
            pause = self._send_some()
        finally:
            self._pumping = False
        if pause is not None:
            self._timer = self._clock.callLater(pause, self._go_on)
        elif not self._waiting and self._flushed is not None and not self._flushed.called:
            self._flushed.callback(None)

    def _send_some(self) -> float | None:
        """Send a slice of what waits; return after how many seconds to go on, None to wait to be called."""
        if self._waiting:
            self._labels.look()
            self._line.prepare()
        if self._labels.looking or self._line.waits:
            return None
        for _ in range(min(SLICE, len(self._waiting))):
            if not self._line.send(encode(self._waiting[0], self._labels.current)):
                return PAUSE
            self._waiting.popleft()
        return 0.0 if self._waiting else None

    def _go_on(self) -> None:
        self._timer = None
        self._pump()

    def _give_up(self) -> None:
        self.dropped += len(self._waiting)
        self._waiting.clear()
        if self._flushed is not None and not self._flushed.called:
            self._flushed.callback(None)
