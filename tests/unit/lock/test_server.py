"""What the lock server answers, through the real site on wires in memory."""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.config.units import duration
from procwrap.lock.server import STORE_PATIENCE, LockServer
from procwrap.lockroutes import make_lock_site
from procwrap.web.limits import Limits
from tests.support.leases import World
from tests.support.web import Wire, connect


class LockServerTests(SynchronousTestCase):
    """One request after the other."""

    def setUp(self) -> None:
        """Begin with a server that has begun."""
        self.world = World()
        self.server = LockServer(self.world.store, self.world.clock, duration)
        self.reports: list[str] = []
        self.limits = Limits(connections=3, crowd=3)
        self.site = make_lock_site(
            self.server, self.world.store, self.world.clock, self.limits, self.reports.append
        )

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Wire:
        """Send a request over a connection of its own."""
        channel, wire = connect(self.site)  # type: ignore[arg-type]
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        channel.dataReceived("\r\n".join([*lines, "", ""]).encode() + body)
        self.channel = channel
        return wire

    def ask(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Return the answer to a request, and close its connection."""
        wire = self.send(method, path, body, **headers)
        self.world.clock.pump([0, 0, 0])
        head, _, said = wire.value().decode().partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        self.channel.connectionLost()
        return int(first.split()[1]), {name.lower(): value for name, value in pairs}, said

    def lease(self, value: str = "pod-1", **headers: str) -> tuple[int, dict[str, str], str]:
        """Ask for a lock."""
        return self.ask("POST", "/lease", json.dumps({"key": "db", "value": value}).encode(), **headers)

    def test_a_lease(self) -> None:
        """201, the id, the TTL and the token; then 202 and who holds it."""
        code, headers, lease = self.lease(x_lease_ttl="2s")
        assert (code, headers["x-lease-ttl"]) == (201, "2000ms")
        assert int(headers["x-fencing-token"]) > 0
        assert int(lease) > 0
        code, headers, said = self.lease("pod-2")
        assert (code, said, headers["x-lease-holder"]) == (202, "0", "pod-1")
        assert headers["x-lease-reason"] == "held by pod-1"

    def test_keepalive_and_release(self) -> None:
        """200 while it is held, 204 afterwards."""
        lease = self.lease()[2].encode()
        code, headers, _ = self.ask("POST", "/keepalive", lease)
        assert (code, headers["x-lease-ttl"]) == (200, "10000ms")
        codes = [self.ask("POST", path, lease)[0] for path in ("/release", "/release", "/keepalive")]
        assert codes == [200, 204, 204]

    def test_only_post(self) -> None:
        """No other method takes, keeps or gives back anything."""
        for path in ("/lease", "/keepalive", "/release"):
            for method in ("GET", "HEAD", "PUT", "DELETE"):
                code, headers, _ = self.ask(method, path, b'{"key": "db"}')
                assert (code, headers["allow"]) == (405, "POST")
        assert self.successResultOf(self.world.store.count()) == 0

    def test_a_waiting_client_that_leaves_is_forgotten(self) -> None:
        """Its place in the queue goes with its connection, and nothing is reported."""
        self.lease()
        self.send("POST", "/lease", b'{"key": "db"}', x_lease_wait="30s")
        assert len(self.server.queue) == 1
        self.channel.connectionLost()
        assert len(self.server.queue) == 0
        assert self.reports == []

    def test_a_store_that_hangs(self) -> None:
        """503 after some seconds, and what comes of it later is given back."""
        self.world.disk.slow = True
        wire = self.send("POST", "/lease", b'{"key": "db"}')
        self.world.clock.advance(STORE_PATIENCE)
        assert wire.codes == [503]
        assert b"the store did not answer within 3s" in wire.value()
        self.world.disk.slow = False
        self.world.disk.go_on()
        assert self.lease()[0] == 201

    def test_a_broken_store(self) -> None:
        """503 says why; health says the same."""
        self.world.disk.broken = OSError("disk full")
        code, headers, said = self.lease()
        assert (code, headers["retry-after"]) == (503, "1")
        assert json.loads(said)["error"] == "cannot write to :memory:: disk full"
        assert self.ask("GET", "/health")[0] == 503
        self.world.disk.broken = None
        assert self.ask("GET", "/health")[0] == 200

    def test_holders_are_served_when_the_house_is_full(self) -> None:
        """With more connections than are served, a keepalive is answered all the same."""
        lease = self.lease()[2].encode()
        idle = [connect(self.site) for _ in range(3)]  # type: ignore[arg-type]
        assert self.ask("POST", "/keepalive", lease)[0] == 200
        assert self.ask("GET", "/health")[0] == 200
        assert self.lease("pod-2")[0] == 503
        assert all(wire.value() == b"" for _, wire in idle)

    def test_leases_and_metrics(self) -> None:
        """What is held is listed and counted; so is every answer."""
        self.lease(x_lease_ttl="2s")
        self.lease("pod-2")
        self.world.pass_time(2.1)
        self.lease("pod-3")
        _, _, said = self.ask("GET", "/leases")
        assert [lease["value"] for lease in json.loads(said)["leases"]] == ["pod-3"]
        _, headers, page = self.ask("GET", "/metrics")
        assert headers["content-type"].startswith("text/plain")
        for sample in (
            "procwrap_lock_leases 1",
            "procwrap_lock_acquired_total 2",
            "procwrap_lock_refused_total 1",
            "procwrap_lock_expired_total 1",
            'procwrap_lock_answers_total{endpoint="/lease",code="201"} 2',
        ):
            assert f"\n{sample}\n" in page

    def test_a_bug_shows_nothing(self) -> None:
        """Whatever breaks inside is 500 without details, and reported."""
        self.patch(LockServer, "_keepalive", lambda *_: Deferred().callback(None))
        assert self.ask("POST", "/keepalive", b"1")[0] == 500
        assert len(self.reports) == 1
