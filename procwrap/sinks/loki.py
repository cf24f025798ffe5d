"""Log records to Loki. Nothing ever waits for it: when it can't take them all, the oldest are lost.

What a stream's pipeline delivers is put together to bundles of up to 64 KiB, so that records that come one by
one cost no more memory than those that come together. A bundle is handed to the delivery when it is full, or
after half a second; that waits as long for a batch.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from procwrap.sinks.delivery import Delivery
from procwrap.sinks.lokilabels import stream_labels, written
from procwrap.sinks.lokipush import Bundle
from procwrap.sinks.shipping import Bounds
from procwrap.spec.probe import Pairs

BOUNDS = Bounds(most_bytes=60 * 1024 * 1024, batch_bytes=1024 * 1024, linger=0.5)
"""With the bundles that are not full, and what a batch becomes on its way, that is 64 MiB in all."""
MOST_OPEN = 1024 * 1024
"""Bytes of all bundles that are not full."""
FULL = 64 * 1024
"""Bytes of a full bundle."""
LARGE = 16 * 1024
"""Bytes of what is a bundle by itself, so that it need not be copied."""
PAUSE = 0.5
"""Seconds until a bundle is handed on that does not become full."""
SET_BACK = 60_000_000_000
"""Nanoseconds by which a clock has to go back until time does, too."""


@define(eq=False)
class LokiSink:
    """Takes the records of all streams.

    Args:
        where: labels of all streams.
        wall: seconds since the epoch.
    """

    _delivery: Delivery[Bundle]
    _where: Pairs
    _clock: IReactorTime
    _wall: Callable[[], float]
    _streams: dict[bytes, Stream] = field(init=False, factory=dict)
    _open_bytes: int = field(init=False, default=0)
    _timer: IDelayedCall | None = field(init=False, default=None)

    @property
    def kind(self) -> str:
        """What it is called in metrics."""
        return "loki"

    @property
    def dropped(self) -> int:
        """Records that will never be in Loki."""
        return self._delivery.dropped + self._delivery.refused

    def stream(self, ours: Pairs, labels: Pairs) -> Callable[[bytes, int], None]:
        """Return what takes the records of a stream; all runs of a process have the same.

        Args:
            ours: its name and output.
            labels: of the config.
        """
        key = written(stream_labels(self._where, ours, labels))
        return self._streams.setdefault(key, Stream(key, self)).write

    def flush(self) -> Deferred[None]:
        """Send what there is; fires when that is done or given up."""
        self._close_all()
        return self._delivery.flush()

    def now(self) -> int:
        """Return the nanoseconds since the epoch."""
        return int(self._wall() * 1e9)

    def opened(self, size: int) -> None:
        """Take note that there is so much more in bundles that are not full."""
        self._open_bytes += size
        if self._open_bytes > MOST_OPEN:
            self._close_all()
        elif self._timer is None:
            self._timer = self._clock.callLater(PAUSE, self._time_is_up)

    def closed(self, bundle: Bundle, size: int) -> None:
        """Take a bundle of which so much was counted as not full."""
        self._open_bytes -= size
        self._delivery.add(bundle)

    def _time_is_up(self) -> None:
        self._timer = None
        self._close_all()

    def _close_all(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for stream in tuple(self._streams.values()):
            stream.close()


@define(eq=False)
class Stream:
    """The records of one output of one process, in order."""

    _labels: bytes
    _sink: LokiSink
    _body: bytearray = field(init=False, factory=bytearray)
    _times: array[int] = field(init=False, factory=lambda: array("q"))
    _counts: array[int] = field(init=False, factory=lambda: array("q"))
    _last: int = field(init=False, default=0)

    def write(self, data: bytes, records: int) -> None:
        """Take complete records (a ``Deliver``)."""
        time = self._time(records)
        if len(data) >= LARGE:
            self.close()
            alone = Bundle(self._labels, data, array("q", (time,)), array("q", (records,)), records)
            self._sink.closed(alone, 0)
            return
        self._body += data
        self._times.append(time)
        self._counts.append(records)
        self._sink.opened(len(data))
        if len(self._body) >= FULL:
            self.close()

    def close(self) -> None:
        """Hand on what there is."""
        if not self._times:
            return
        body, times, counts = self._body, self._times, self._counts
        self._body, self._times, self._counts = bytearray(), array("q"), array("q")
        self._sink.closed(Bundle(self._labels, bytes(body), times, counts, sum(counts)), len(body))

    def _time(self, records: int) -> int:
        """Return the time of the next record, later than all before: Loki drops what it has seen already."""
        now = self._sink.now()
        if now <= self._last and now > self._last - SET_BACK:
            now = self._last + 1
        self._last = now + records - 1
        return now
