"""Keepalives to etcd, many in one request."""

from __future__ import annotations

import json
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.lock.lease import StoreError
from procwrap.lock.stores import etcdkeep
from procwrap.lock.stores import etcdwords as words
from procwrap.lock.stores.etcdkeep import MOST_AT_ONCE, MOST_REQUESTS, Keeper
from tests.support.etcds import header


@define(eq=False)
class SlowGateway:
    """Answers when it is told to."""

    keepalives: list[tuple[list[int], Deferred[Any]]] = field(factory=list)
    reads: list[Deferred[Any]] = field(factory=list)

    def ask(self, path: str, message: bytes) -> Deferred[Any]:
        """Remember what is asked."""
        asked: Deferred[Any] = Deferred()
        if path == words.RANGE:
            self.reads.append(asked)
        else:
            texts = message.replace(b"}{", b"}\n{").splitlines()
            self.keepalives.append(([int(json.loads(text)["ID"]) for text in texts], asked))
        return asked

    def answer(self, term: int = 2, most: int = 99) -> None:
        """Answer the oldest request for keepalives, or the first of those in it."""
        leases, asked = self.keepalives.pop(0)
        leases = leases[:most]
        asked.callback(
            [{"result": {"header": header(term), "ID": str(lease), "TTL": "3"}} for lease in leases]
        )

    def read(self, term: int = 2) -> None:
        """Answer the oldest read."""
        self.reads.pop(0).callback([{"header": header(term)}])


class KeeperTests(SynchronousTestCase):
    """In which order what is sent and believed."""

    def setUp(self) -> None:
        """Begin with nothing under way."""
        self.gateway = SlowGateway()
        self.keeper = Keeper(self.gateway)  # type: ignore[arg-type]

    def test_what_comes_meanwhile_goes_together(self) -> None:
        """Some requests are under way at a time; the rest is collected."""
        for lease in range(1, 200):
            self.keeper.keep(lease)
        assert [leases for leases, _ in self.gateway.keepalives] == [
            [lease] for lease in range(1, MOST_REQUESTS + 1)
        ]
        self.gateway.answer()
        self.gateway.read()
        assert len(self.gateway.keepalives[-1][0]) == MOST_AT_ONCE

    def test_a_read_confirms_only_what_was_answered_before_it(self) -> None:
        """A keepalive that is answered while a read is under way waits for the next one."""
        first, second = self.keeper.keep(1), self.keeper.keep(2)
        self.gateway.answer()
        self.gateway.answer()
        assert len(self.gateway.reads) == 1
        self.gateway.read()
        assert self.successResultOf(first) == 3.0
        self.assertNoResult(second)
        self.gateway.read()
        assert self.successResultOf(second) == 3.0

    def test_a_new_leader_is_asked_again(self) -> None:
        """What the old one has renewed does not count."""
        kept = self.keeper.keep(1)
        self.gateway.answer(term=2)
        self.gateway.read(term=3)
        self.assertNoResult(kept)
        self.gateway.answer(term=3)
        self.gateway.read(term=3)
        assert self.successResultOf(kept) == 3.0

    def test_who_is_not_answered_is_sent_again(self) -> None:
        """Of many in one request, the gateway sometimes answers only the first ones."""
        kept = [self.keeper.keep(lease) for lease in range(MOST_REQUESTS + 3)]
        self.gateway.answer()
        self.gateway.read()
        self.gateway.keepalives = self.gateway.keepalives[-1:]
        self.gateway.answer(most=1)
        self.gateway.read()
        assert [each.called for each in kept[MOST_REQUESTS:]] == [True, False, False]
        assert self.gateway.keepalives[-1][0] == [MOST_REQUESTS + 1, MOST_REQUESTS + 2]
        self.gateway.answer()
        self.gateway.read()
        assert [self.successResultOf(each) for each in kept[MOST_REQUESTS:]] == [3.0] * 3

    def test_a_failed_read_confirms_nothing(self) -> None:
        """Without a majority no keepalive counts."""
        kept = self.keeper.keep(1)
        self.gateway.answer()
        self.gateway.reads.pop(0).errback(StoreError("no majority"))
        self.failureResultOf(kept, StoreError)

    def test_a_failed_request_fails_all_in_it(self) -> None:
        """And those that come after it are sent."""
        kept = [self.keeper.keep(lease) for lease in range(MOST_REQUESTS + 2)]
        self.gateway.keepalives.pop(0)[1].errback(StoreError("cut off"))
        self.failureResultOf(kept[0], StoreError)
        assert self.gateway.keepalives[-1][0] == [MOST_REQUESTS, MOST_REQUESTS + 1]

    def test_who_does_not_wait_is_not_sent(self) -> None:
        """A client that has gone costs nothing."""
        kept = [self.keeper.keep(lease) for lease in range(MOST_REQUESTS + 2)]
        kept[-1].cancel()
        self.failureResultOf(kept[-1])
        self.gateway.answer()
        self.gateway.read()
        assert self.gateway.keepalives[-1][0] == [MOST_REQUESTS]

    def test_there_is_an_end_to_waiting(self) -> None:
        """So many keepalives wait, and no more."""
        self.patch(etcdkeep, "MOST_WAITING", 1)
        for lease in range(MOST_REQUESTS + 1):
            self.keeper.keep(lease)
        self.failureResultOf(self.keeper.keep(99), StoreError)
