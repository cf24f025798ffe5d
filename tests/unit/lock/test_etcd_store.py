"""The store in etcd: what it asks, and what it makes of what may come back."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.interfaces import ILeaseStore
from procwrap.lock.lease import Granted, Refused, StoreError
from procwrap.lock.stores import etcdwords as words
from procwrap.lock.stores.etcd import EtcdStore
from procwrap.lock.stores.etcdkeep import TRIES
from tests.support.etcds import FakeEtcd, header
from tests.support.leases import wanted

OURS = 77


def kv(lease: int, value: str = '{"value": "pod-9", "request": "r9"}', created: int = 5) -> dict[str, str]:
    """Return a key that somebody has."""
    return {
        "key": words.base64("/shared-lock/db"),
        "value": words.base64(value),
        "lease": str(lease),
        "create_revision": str(created),
    }


class EtcdStoreTests(SynchronousTestCase):
    """A cluster that answers as a test wants."""

    def setUp(self) -> None:
        """Begin with a cluster that does what it is asked for."""
        self.answers: dict[str, Any] = {
            "kv/range": [{"header": header()}],
            "lease/grant": [{"header": header(), "ID": str(OURS), "TTL": "3"}],
            "kv/txn": [{"header": header(revision=9), "succeeded": True}],
            "lease/revoke": [{"header": header()}],
        }
        self.etcd = FakeEtcd(self.answer)
        self.store = EtcdStore(self.etcd.gateway, self.etcd.clock, lambda: 1.7e9, lambda: OURS)

    def answer(self, _: str, path: str, messages: list[dict[str, Any]]) -> Any:
        """Answer as the test wants; keepalives one for each message."""
        said = self.answers.get(path.removeprefix("/v3/"))
        if path == words.KEEPALIVE and callable(said):
            return [{"result": said(int(message["ID"]))} for message in messages]
        return said(messages) if callable(said) else said

    def result(self, asked: Any) -> Any:
        """Return what came of a question."""
        for _ in range(6):
            self.etcd.flush()
        return self.successResultOf(asked)

    def test_it_is_a_store(self) -> None:
        """It does all that a store has to."""
        assert verifyObject(ILeaseStore, self.store)

    def test_a_grant(self) -> None:
        """The TTL is what etcd grants, the token the revision at which the key was created."""
        assert self.result(self.store.acquire(wanted(ttl=2.1))) == Granted(OURS, 3.0, 9)
        assert self.etcd.paths() == ["kv/range", "lease/grant", "kv/txn"]
        assert self.etcd.asked[1][2] == [{"ID": "77", "TTL": "3"}]

    def test_who_is_refused_costs_one_read(self) -> None:
        """Nothing is written for those who cannot have it."""
        self.answers["kv/range"] = [{"header": header(), "kvs": [kv(8)]}]
        assert self.result(self.store.acquire(wanted())) == Refused("held by pod-9", "pod-9")
        assert self.etcd.paths() == ["kv/range"]

    def test_a_lost_race(self) -> None:
        """Somebody else took the key between the read and the transaction: our lease is given back."""
        other = {"response_range": {"kvs": [kv(8)]}}
        self.answers["kv/txn"] = [{"header": header(), "responses": [other]}]
        assert self.result(self.store.acquire(wanted())) == Refused("held by pod-9", "pod-9")
        assert self.etcd.paths()[-1] == "lease/revoke"

    def test_a_transaction_that_was_asked_twice(self) -> None:
        """The first attempt had come through after all: the key is ours."""
        ours = {"response_range": {"kvs": [kv(OURS, created=6)]}}
        self.answers["kv/txn"] = [{"header": header(), "responses": [ours]}]
        assert self.result(self.store.acquire(wanted())) == Granted(OURS, 3.0, 6)

    def test_a_grant_that_was_asked_twice(self) -> None:
        """The lease is there already: its TTL is asked for."""
        self.answers["lease/grant"] = (400, [{"error": "lease already exists", "code": 9}])
        self.answers["lease/timetolive"] = [{"header": header(), "TTL": "2", "grantedTTL": "3"}]
        assert self.result(self.store.acquire(wanted())) == Granted(OURS, 3.0, 9)

    def test_a_transaction_that_is_not_understood(self) -> None:
        """Nothing is granted, and the lease is given back."""
        for strange in ([{}], [{"responses": [{}]}], [{"responses": 7}], [], [{}, {}]):
            self.answers["kv/txn"] = strange
            asked = self.store.acquire(wanted())
            for _ in range(6):
                self.etcd.flush()
            self.failureResultOf(asked, StoreError)
            assert self.etcd.paths()[-1] == "lease/revoke"

    def test_who_does_not_wait_for_the_answer(self) -> None:
        """What may have been taken is given back."""
        self.answers["kv/txn"] = None
        asked = self.store.acquire(wanted())
        for _ in range(6):
            self.etcd.flush()
        asked.cancel()
        self.failureResultOf(asked)
        assert self.etcd.paths()[-1] == "lease/revoke"

    def test_the_same_request_gets_its_lease(self) -> None:
        """It is kept alive, and its token stays what it was."""
        self.answers["kv/range"] = [{"header": header(), "kvs": [kv(8)]}]
        self.answers["lease/keepalive"] = lambda lease: {"header": header(), "ID": str(lease), "TTL": "3"}
        assert self.result(self.store.acquire(wanted(request="r9"))) == Granted(8, 3.0, 5)

    def test_a_keepalive(self) -> None:
        """It counts when a majority has confirmed it; one that is over is counted."""
        ttls = {1: {"TTL": "3"}, 2: {}}
        self.answers["lease/keepalive"] = lambda lease: {"header": header(), "ID": str(lease), **ttls[lease]}
        assert self.result(self.store.keep(1)) == 3.0
        assert self.etcd.paths() == ["lease/keepalive", "kv/range"]
        assert self.result(self.store.keep(2)) is None
        assert self.store.expired == 1

    def test_a_keepalive_of_a_leader_that_was_deposed(self) -> None:
        """It is asked again; if the leaders go on changing, nobody is told that it counts."""
        self.answers["lease/keepalive"] = lambda lease: {"header": header(1), "ID": str(lease), "TTL": "3"}
        asked = self.store.keep(1)
        for _ in range(8):
            self.etcd.flush()
        assert "changes its leader" in str(self.failureResultOf(asked, StoreError).value)
        assert self.etcd.paths() == ["lease/keepalive", "kv/range"] * TRIES

    def test_a_keepalive_that_is_not_answered(self) -> None:
        """An answer that leaves one out, or is none, is no answer."""
        for strange in (
            [],
            [{"result": 7}],
            [{"result": {"ID": "2", "TTL": "3"}}],
            [{"result": {"ID": "x"}}],
        ):
            self.answers["lease/keepalive"] = strange
            asked = self.store.keep(1)
            for _ in range(6):
                self.etcd.flush()
            self.failureResultOf(asked, StoreError)

    def test_release(self) -> None:
        """True if it was there, False if not."""
        assert self.result(self.store.release(1)) is True
        self.answers["lease/revoke"] = (404, [{"error": "not found", "code": 5}])
        assert self.result(self.store.release(1)) is False

    def test_leases_come_in_pages(self) -> None:
        """And whatever stands in a key is listed as far as it is understood."""
        pages = [
            [
                {
                    "header": header(),
                    "more": True,
                    "kvs": [kv(1, '{"value": "a", "labels": {"b": "c"}, "since": 5}')],
                }
            ],
            [
                {
                    "header": header(),
                    "kvs": [kv(2, "no JSON"), kv(3, '["x"]'), kv(4, '{"value": 7, "since": "x"}')],
                }
            ],
        ]
        self.answers["kv/range"] = lambda _: pages.pop(0)
        found = self.result(self.store.leases())
        assert [(lease.value, lease.labels, lease.since) for lease in found] == [
            ("a", (("b", "c"),), 5.0),
            *[("", (), 0.0)] * 3,
        ]

    def test_a_watch(self) -> None:
        """Keys that go are told; whatever else comes is nothing."""
        gone = {"type": "DELETE", "kv": {"key": words.base64("/shared-lock/db")}}
        self.answers["watch"] = [
            {"result": {"created": True}},
            {"result": {"events": [gone, 7]}},
            {},
            {"result": 7},
        ]
        freed: list[str] = []
        self.store.watch(freed.append)
        self.etcd.clock.advance(0)
        self.etcd.flush()
        assert freed == ["db"]
        self.successResultOf(self.store.close())
        assert self.etcd.clock.getDelayedCalls() == []
