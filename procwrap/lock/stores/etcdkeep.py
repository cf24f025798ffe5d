"""Keepalives to etcd: many in one request, each confirmed by a majority.

The gateway's keepalive is a stream: a request may hold many messages, and they are answered one a line. Go's
HTTP server may stop reading a request once its answer has begun, so the last ones of many sometimes get no
answer; they are sent again.

A leader that was cut off from the others renews leases for a moment longer, while a new leader lets them
expire by its own clock. So a keepalive counts only when a linearizable read that began after its answer came
back with the same raft term: then the leader that has renewed it was still the leader. One read confirms all
that were answered before it began.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks

from procwrap.lock.lease import StoreError
from procwrap.lock.stores import etcdwords as words
from procwrap.lock.stores.etcdgateway import Gateway

MOST_AT_ONCE = 32
"""Keepalives in a request: a follower passes them on to the leader one after the other."""
MOST_REQUESTS = 3
MOST_WAITING = 50_000
TRIES = 4


@define(eq=False)
class _Wish:
    """A lease that is to be kept.

    Attributes:
        tries: how often it was sent.
    """

    lease: int
    kept: Deferred[float | None]
    tries: int = 0


@define(eq=False)
class Keeper:
    """Collects keepalives while others are on their way."""

    _gateway: Gateway
    _waiting: list[_Wish] = field(init=False, factory=list)
    _under_way: int = field(init=False, default=0)
    _reading: bool = field(init=False, default=False)
    _unconfirmed: list[Deferred[int]] = field(init=False, factory=list)

    def keep(self, lease: int) -> Deferred[float | None]:
        """Let the TTL of a lease begin anew.

        Returns:
            A Deferred of the TTL in seconds; None when the lease is over.
        """
        kept: Deferred[float | None] = Deferred(lambda _: None)
        if len(self._waiting) >= MOST_WAITING:
            kept.errback(StoreError("too many keepalives wait for etcd"))
            return kept
        self._waiting.append(_Wish(lease, kept))
        self._go_on()
        return kept

    def confirmed(self) -> Deferred[int]:
        """Return a Deferred of the raft term of a linearizable read that begins from now on."""
        asked: Deferred[int] = Deferred()
        self._unconfirmed.append(asked)
        if not self._reading:
            self._read()
        return asked

    def _go_on(self) -> None:
        while self._waiting and self._under_way < MOST_REQUESTS:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            batch = [wish for wish in batch if not wish.kept.called]
            if not batch:
                continue
            self._under_way += 1
            sent = self._send([wish.lease for wish in batch])
            sent.addCallbacks(self._tell, _fail, (batch,), {}, (batch,))
            sent.addBoth(self._sent)

    def _sent(self, _: object) -> None:
        self._under_way -= 1
        self._go_on()

    @inlineCallbacks
    def _send(self, leases: list[int]) -> Generator[Deferred[Any], Any, dict[int, int]]:
        """Send keepalives.

        Returns:
            The TTLs of those that were answered, and confirmed.
        """
        answer = yield self._gateway.ask(words.KEEPALIVE, b"".join(map(words.of_lease, leases)))
        results = [each.get("result") for each in answer]
        if not all(isinstance(result, dict) for result in results):
            raise StoreError("etcd answers a keepalive with something else")
        term: int = yield self.confirmed()
        return {
            words.number(result, "ID"): words.number(result, "TTL")
            for result in results
            if words.term(result) == term
        }

    def _tell(self, ttls: dict[int, int], batch: Sequence[_Wish]) -> None:
        again = []
        for wish in batch:
            if wish.kept.called:
                continue
            wish.tries += 1
            if wish.lease in ttls:
                wish.kept.callback(float(ttls[wish.lease]) or None)
            elif wish.tries < TRIES:
                again.append(wish)
            else:
                wish.kept.errback(StoreError("etcd does not answer keepalives, or changes its leader"))
        self._waiting[:0] = again

    def _read(self) -> None:
        asking, self._unconfirmed = self._unconfirmed, []
        self._reading = True
        read: Deferred[Any] = self._gateway.ask(words.RANGE, words.how_many())
        read.addCallback(lambda answer: words.term(answer[0]) if answer else 0)
        read.addBoth(self._was_read, asking)

    def _was_read(self, result: Any, asking: list[Deferred[int]]) -> None:
        self._reading = False
        if self._unconfirmed:
            self._read()
        for each in asking:
            each.callback(result)


def _fail(failure: Any, batch: Sequence[_Wish]) -> None:
    for wish in batch:
        if not wish.kept.called:
            wish.kept.errback(failure)
