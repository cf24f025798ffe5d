"""The store in etcd: a key for each lock, which goes with the lease of its holder.

Nothing is remembered here, so any number of lock servers may stand before one cluster. A key is taken by a
transaction that demands that it is not there; the revision at which it was created is the fencing token.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from procwrap.interfaces import ILeaseStore
from procwrap.lock.lease import Granted, Lease, Refused, StoreError, held_by
from procwrap.lock.stores import etcdwords as words
from procwrap.lock.stores.etcdgateway import EtcdError, Gateway
from procwrap.lock.stores.etcdkeep import Keeper
from procwrap.lock.stores.etcdwatch import Watch
from procwrap.lock.wanted import Wanted

MOST_LISTED = 100_000

Answer = Granted | Refused
Steps = Generator[Deferred[Any], Any, Any]


@implementer(ILeaseStore)
@define(eq=False)
class EtcdStore:
    """Keeps leases in a cluster.

    Args:
        wall: seconds since the epoch.
        new_id: draws a number from 1 to 2^63-1 that nobody can guess, and that comes but once.
    """

    _gateway: Gateway
    _clock: IReactorTime
    _wall: Callable[[], float]
    _new_id: Callable[[], int]
    expired: int = field(init=False, default=0)
    _keeper: Keeper = field(init=False)
    _watch: Watch | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._keeper = Keeper(self._gateway)

    def watch(self, freed: Callable[[str], None]) -> None:
        """Call ``freed(key)`` whenever a key has become free."""
        self._watch = Watch(self._gateway, self._clock, freed)
        self._clock.callLater(0, self._watch.begin)

    @inlineCallbacks
    def acquire(self, wanted: Wanted) -> Generator[Deferred[Any], Any, Answer]:
        """Give a key to whoever wants it, unless somebody has it."""
        # Most who ask are refused: that costs a read, and nothing is written.
        (said,) = yield self._ask(words.RANGE, words.look(wanted.key))
        found = words.kept(said)
        if found:
            answer: Answer = yield self._refuse(found[0], wanted)
            return answer
        lease = self._new_id()
        try:
            ttl = yield self._grant(lease, wanted.ttl)
            (said,) = yield self._ask(words.TXN, words.take(wanted, lease, self._wall()))
            other = words.kept_by_another(said)
        except Exception:
            # Whether it was taken is not known; so it is given back.
            self._give_back(lease)
            raise
        if other is None:
            return Granted(lease, ttl, words.revision(said))
        if other.lease == lease:
            # An earlier attempt at another member had come through.
            return Granted(lease, ttl, other.created)
        self._give_back(lease)
        answer = yield self._refuse(other, wanted)
        return answer

    @inlineCallbacks
    def _grant(self, lease: int, ttl: float) -> Generator[Deferred[Any], Any, float]:
        try:
            (said,) = yield self._ask(words.GRANT, words.grant(lease, ttl))
            seconds = words.number(said, "TTL")
        except EtcdError as error:
            if error.code != words.FAILED_PRECONDITION:
                raise
            # Nobody else draws the same number: an earlier attempt at another member had come through.
            (said,) = yield self._ask(words.TIME_TO_LIVE, words.of_lease(lease))
            seconds = words.number(said, "grantedTTL")
        if seconds < 1:
            raise StoreError("etcd grants a lease without a TTL")
        return float(seconds)

    @inlineCallbacks
    def _refuse(self, kept: words.Kept, wanted: Wanted) -> Generator[Deferred[Any], Any, Answer]:
        if wanted.request and kept.lease and kept.said.get("request") == wanted.request:
            ttl = yield self._keeper.keep(kept.lease)
            if ttl is not None:
                return Granted(kept.lease, ttl, kept.created)
        return held_by(kept.holder)

    @inlineCallbacks
    def keep(self, lease: int) -> Generator[Deferred[Any], Any, float | None]:
        """Let the TTL of a lease begin anew."""
        ttl: float | None = yield self._keeper.keep(lease)
        if ttl is None:
            self.expired += 1
        return ttl

    @inlineCallbacks
    def release(self, lease: int) -> Generator[Deferred[Any], Any, bool]:
        """End a lease."""
        try:
            yield self._gateway.ask(words.REVOKE, words.of_lease(lease))
        except EtcdError as error:
            if error.code != words.NOT_FOUND:
                raise
            return False
        return True

    @inlineCallbacks
    def leases(self) -> Generator[Deferred[Any], Any, Sequence[Lease]]:
        """Return all leases; of very many, the first by their keys."""
        found: list[Lease] = []
        after: str | None = None
        while len(found) < MOST_LISTED:
            (said,) = yield self._ask(words.RANGE, words.page(after))
            page = words.kept(said)
            found += map(words.listed, page)
            if not page or not said.get("more"):
                break
            after = page[-1].key
        return found

    @inlineCallbacks
    def count(self) -> Generator[Deferred[Any], Any, int]:
        """Return how many leases there are."""
        (said,) = yield self._ask(words.RANGE, words.how_many())
        return words.number(said, "count")

    def check(self) -> Deferred[Any]:
        """Find out whether there is a majority."""
        return self._keeper.confirmed()

    @inlineCallbacks
    def close(self) -> Steps:
        """Listen to etcd no more."""
        if self._watch is not None:
            self._watch.stop()
        yield from ()

    @inlineCallbacks
    def _ask(self, path: str, message: bytes) -> Generator[Deferred[Any], Any, tuple[words.Said]]:
        answer = yield self._gateway.ask(path, message)
        if len(answer) != 1:
            raise StoreError(f"etcd answers {path} with {len(answer)} objects, expected one")
        return (answer[0],)

    def _give_back(self, lease: int) -> None:
        self.release(lease).addErrback(lambda _: None)
