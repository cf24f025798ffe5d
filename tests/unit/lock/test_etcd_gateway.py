"""The way to etcd: which member is asked, and what an answer means."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.lock.lease import StoreError
from procwrap.lock.stores.etcdgateway import ALTOGETHER, ATTEMPT, EtcdError
from tests.support.etcds import FakeEtcd

NO_LEADER = (503, [{"error": "etcdserver: no leader", "code": 14}])


class GatewayTests(SynchronousTestCase):
    """One question at a time."""

    def ask(self, answers: Any, members: str = "ab") -> Deferred[list[dict[str, Any]]]:
        """Ask a cluster whose members answer so."""
        self.etcd = FakeEtcd(lambda host, *_: answers[host], members)
        asked: Deferred[list[dict[str, Any]]] = self.etcd.gateway.ask("/v3/kv/range", b"{}")
        self.etcd.flush()
        return asked

    def hosts(self) -> str:
        """Return who was asked."""
        return "".join(host for host, _, _ in self.etcd.asked)

    def test_the_first_member_answers(self) -> None:
        """Nobody else is asked."""
        assert self.successResultOf(self.ask({"a": [{"count": "1"}]})) == [{"count": "1"}]
        assert self.hosts() == "a"

    def test_a_member_without_a_leader(self) -> None:
        """The next one is asked at once, and first from now on."""
        asked = self.ask({"a": NO_LEADER, "b": []})
        assert self.successResultOf(asked) == []
        self.successResultOf(self.etcd.gateway.ask("/v3/kv/range", b"{}"))
        assert self.hosts() == "abb"

    def test_a_member_that_hangs(self) -> None:
        """It gets a second, then the next one is asked."""
        asked = self.ask({"a": None, "b": []})
        self.etcd.clock.advance(ATTEMPT - 0.01)
        self.assertNoResult(asked)
        self.etcd.clock.advance(0.02)
        self.etcd.flush()
        assert self.successResultOf(asked) == []

    def test_all_members_fail(self) -> None:
        """They are asked again and again for a while; then the last reason is told."""
        asked = self.ask({"a": NO_LEADER, "b": (500, b"<html>")})
        self.etcd.clock.pump([0.1] * 30)
        failure = self.failureResultOf(asked, StoreError)
        assert str(failure.value).startswith("cannot reach etcd: http://")
        assert self.etcd.clock.seconds() >= ALTOGETHER
        assert 20 < len(self.hosts()) < 60

    def test_a_plain_no(self) -> None:
        """What another member would refuse, too, is not asked of it."""
        failure = self.failureResultOf(
            self.ask({"a": (404, [{"error": "no such lease", "code": 5}])}), EtcdError
        )
        assert failure.value.code == 5
        assert self.hosts() == "a"

    def test_an_error_within_a_stream(self) -> None:
        """Of a stream the status is 200, and the error is in it."""
        broken = [{"result": {}}, {"error": {"grpc_code": 14, "message": "lost the leader"}}]
        assert self.successResultOf(self.ask({"a": broken, "b": []})) == []

    def test_something_else_than_etcd(self) -> None:
        """It is named as what it may be."""
        asked = self.ask({"a": (200, b"hello")}, "a")
        self.etcd.clock.pump([0.1] * 30)
        assert "is it etcd's client port?" in str(self.failureResultOf(asked, StoreError).value)

    def test_cancelling(self) -> None:
        """Nothing is left of a question that nobody wants answered."""
        asked = self.ask({"a": None})
        asked.cancel()
        self.failureResultOf(asked)
        assert self.etcd.clock.getDelayedCalls() == []
