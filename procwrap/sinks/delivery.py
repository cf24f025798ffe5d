"""Takes items to a server over HTTP: a bounded queue, batches, one at a time, again until it is there.

Loki and Elasticsearch share it. What is different about them is a ``Shipping`` (``shipping.py``):

    class LokiShipping:                     # Shipping[Bundle]
        def size(self, item): ...           # bytes of memory, all overhead included
        def records(self, item): ...        # at least 1
        def pack(self, items): ...          # -> Parcel; called in a thread
        def judge(self, items, answer): ... # -> Verdict; only asked about answers 200 to 299

    delivery = make_delivery(shipping, url, Bounds(most_bytes=..., ...), ...)    # procwrap/posting.py
    delivery.add(item)                      # never waits, never fails
    outputs.flush_too(delivery.flush)       # sends all there is within 2 s; what is left then is dropped

What becomes of a batch:

- 200 to 299: as the shipping judges: sent, refused, or to be sent again before everything else.
- 408, 429, 5xx, or no answer: again, after 0.5 s, doubled each time up to 8 s, times a random number up to 1;
  after ``Retry-After`` (seconds or a date, at most 60 s) and that.
- 413 for more than one item: again, in two halves; larger batches are tried again bit by bit.
- Anything else: refused.

Order is kept: there is one batch on its way, and nothing overtakes it. When the queue is full, the oldest
items are dropped that are not on their way. The log is told once when the server can't take all there is, and
once when it does again (``trouble.py``), never for each attempt.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Generic, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IDelayedCall

from procwrap.sinks.backlog import Backlog
from procwrap.sinks.outcome import Outcome, no_answer, outcome, unusable
from procwrap.sinks.patience import Patience
from procwrap.sinks.post import Answer, Post, PostError
from procwrap.sinks.shipping import Bounds, Parcel, Shipping, Surroundings

T = TypeVar("T")

LAST = 1.9
"""Seconds that ``flush`` takes at most."""
LAST_PAUSE = 0.25
"""Seconds between two attempts then, at most."""
RECOVERY = 1.05
"""By how much the largest batch grows after each that was not too large."""


@define(eq=False)
class Delivery(Generic[T]):
    """Takes items to one server.

    Attributes:
        sent: records that the server has taken.
        refused: records that it will never take.
        dropped: records for which there was no room, or no time at the end.
    """

    _shipping: Shipping[T]
    _post: Post
    _bounds: Bounds
    _world: Surroundings
    sent: int = field(init=False, default=0)
    refused: int = field(init=False, default=0)
    dropped: int = field(init=False, default=0)
    _backlog: Backlog[T] = field(init=False)
    _patience: Patience = field(init=False)
    _batch_bytes: int = field(init=False)
    _working: bool = field(init=False, default=False)
    _pausing: bool = field(init=False, default=False)
    _lingered: bool = field(init=False, default=False)
    _timer: IDelayedCall | None = field(init=False, default=None)
    _underway: Deferred[Answer] | None = field(init=False, default=None)
    _flushed: Deferred[None] | None = field(init=False, default=None)
    _deadline: IDelayedCall | None = field(init=False, default=None)
    _dropped_before: int = field(init=False, default=0)
    _closed: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        shipping, bounds = self._shipping, self._bounds
        self._backlog = Backlog(shipping.size, shipping.records, bounds.most_bytes, bounds.most_records)
        self._patience = Patience(self._world.random)
        self._batch_bytes = bounds.batch_bytes

    @property
    def waiting_bytes(self) -> int:
        """Bytes of memory of all items, those on their way included."""
        return self._backlog.bytes

    def add(self, item: T) -> None:
        """Queue an item; at the end of everything, or when there is no room, something is dropped."""
        if self._closed:
            self.dropped += self._shipping.records(item)
            return
        dropped = self._backlog.add(item)
        if dropped:
            self.dropped += dropped
            self._world.trouble.fails("it takes less than there is", "the oldest are dropped")
        self._go_on()

    def flush(self) -> Deferred[None]:
        """Send what waits; fires when that is done, or after 1.9 s, and then what is left is dropped."""
        if self._flushed is None:
            self._flushed = Deferred()
            self._deadline = self._world.clock.callLater(LAST, self._give_up)
            self._stop_waiting()
            self._go_on()
        return self._flushed

    def _go_on(self) -> None:
        """Begin to send if it is time for that, or find out when."""
        if self._working or self._pausing or self._closed:
            return
        if self._is_due():
            self._working = True
            self._stop_waiting()
            self._send_all()
        elif self._backlog and self._timer is None:
            self._timer = self._world.clock.callLater(self._bounds.linger, self._waited_enough)
        elif not self._backlog and self._flushed is not None:
            self._close()

    def _is_due(self) -> bool:
        size, records = self._backlog.waiting
        is_full = size >= self._batch_bytes or records >= self._bounds.batch_records
        return bool(self._backlog) and (is_full or self._lingered or self._flushed is not None)

    def _waited_enough(self) -> None:
        self._timer, self._pausing, self._lingered = None, False, True
        self._go_on()

    def _stop_waiting(self) -> None:
        self._pausing = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @inlineCallbacks
    def _send_all(self) -> Generator[Deferred[Any], Any, None]:
        """Send batch after batch while there is a whole one, or what there is has waited long enough."""
        pause: float | None = None
        while pause is None and self._is_due() and not self._closed:
            self._lingered = False
            items = self._backlog.take(self._batch_bytes, self._bounds.batch_records)
            came: Outcome[T] = yield self._try(items)
            if not self._closed:
                pause = self._settle(items, came)
        self._working = False
        if pause is not None and not self._closed:
            self._pausing = True
            self._timer = self._world.clock.callLater(pause, self._waited_enough)
        self._go_on()

    @inlineCallbacks
    def _try(self, items: tuple[T, ...]) -> Generator[Deferred[Any], Any, Outcome[T]]:
        try:
            parcel: Parcel = yield self._world.in_thread(lambda: self._shipping.pack(items))
            if self._closed:
                return no_answer(items, "")
            answer = yield self._answer(parcel)
            return outcome(self._shipping, items, answer, self._world.wall())
        except PostError as error:
            return no_answer(items, str(error))
        except Exception as bug:
            # Not to be met again and again with the same items.
            return unusable(self._shipping, items, bug)

    def _answer(self, parcel: Parcel) -> Deferred[Answer]:
        def is_over(result: Any) -> Any:
            self._underway = None
            return result

        self._underway = self._post(parcel.body, parcel.headers)
        return self._underway.addBoth(is_over)

    def _settle(self, items: tuple[T, ...], came: Outcome[T]) -> float | None:
        """Take note of what became of a batch; return for how many seconds to leave the server alone."""
        verdict, trouble = came.verdict, self._world.trouble
        self.sent += verdict.sent
        self.refused += verdict.refused
        self._backlog.settle(verdict.again)
        if came.too_large:
            self._batch_bytes = max(sum(map(self._shipping.size, items)) // 2, 1)
            return None
        if self._batch_bytes < self._bounds.batch_bytes:
            self._batch_bytes = min(int(self._batch_bytes * RECOVERY) + 1, self._bounds.batch_bytes)
        if verdict.reason:
            trouble.fails(verdict.reason, "they are lost" if verdict.refused else f"{self._bounds} wait")
        elif self.dropped == self._dropped_before:
            trouble.works(self.dropped + self.refused)
        self._dropped_before = self.dropped
        if not verdict.again:
            self._patience.reset()
            return None
        pause = self._patience.pause(came.asked)
        return pause if self._flushed is None else min(pause, LAST_PAUSE)

    def _give_up(self) -> None:
        self._deadline = None
        lost = self._backlog.clear()
        self.dropped += lost
        if lost:
            self._world.trouble.ends(lost)
        self._close()

    def _close(self) -> None:
        self._closed = True
        self._stop_waiting()
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._underway is not None:
            self._underway.cancel()
        if self._flushed is not None:
            self._flushed.callback(None)
