"""amqp probes against a real RabbitMQ."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from attrs import frozen
from twisted.internet.defer import inlineCallbacks

from procwrap.dsn.amqptemplate import PASSWORD, TEMPLATE, USER
from procwrap.interfaces import IProbe
from procwrap.probes.kinds import build
from procwrap.spec.probe import AmqpProbe
from tests.support.certificates import Authority
from tests.support.hosted import ROOT, Hosted, free_port, process
from tests.support.peers import Peer, reactor
from tests.support.probes import context
from tests.support.realprobes import TOLERANCE, RealProbes, Steps, sockets_open
from tests.support.servers.rabbitmq import RabbitMq

pytestmark = pytest.mark.integration

LONG = bool(os.environ.get("PROCWRAP_LONG"))
SECRET = "s3cr@t/pw"
WRONG = "wr0ng-pw"


@frozen
class Surroundings:
    """A broker and the files that TLS to it needs."""

    broker: RabbitMq
    authority: Path
    stranger: Path
    client: tuple[Path, Path]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    """One broker for all tests of this module; who stops it starts it again."""
    home = tmp_path_factory.mktemp("rabbitmq")
    authority, stranger = Authority(home), Authority(home, "stranger")
    tls = (authority.file, *authority.issue("server", ["localhost", "127.0.0.1"]))
    users = {"app": SECRET, "nobody": SECRET}
    vhosts: dict[str, Sequence[str]] = {"/": ["app"], "orders": ["app"]}
    with RabbitMq(home, users, vhosts, tls, ["rabbitmq_auth_mechanism_ssl"]) as broker:
        yield Surroundings(broker, authority.file, stranger.file, authority.issue("app", password="kp4ss"))


class BrokerTests(RealProbes):
    @pytest.fixture(autouse=True)
    def _shared(self, shared: Surroundings) -> None:
        self.shared, self.broker = shared, shared.broker

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.alone)

    @inlineCallbacks
    def alone(self) -> Steps:
        """No test leaves a connection."""
        yield self.until(lambda: self.broker.connections() == 0)

    def dsn(self, vhost: str = "orders", *, user: str = "app", password: str = SECRET, **parts: str) -> str:
        """A DSN; further parts are parameters, with which it is one over TLS."""
        login = f"{user}:{quote(password, safe='')}"
        if not parts:
            return f"amqp://{login}@localhost:{self.broker.port}/{vhost}"
        query = "&".join(f"{name}={value}" for name, value in parts.items())
        return f"amqps://{login}@localhost:{self.broker.tls_port}/{vhost}?{query}"

    def amqp(self, dsn: str, *, keep: bool = False, timeout: float = 3.0) -> IProbe:
        """A probe, closed at the end of the test."""
        probe = self.build(AmqpProbe(keep, dsn, timeout))
        self.addCleanup(probe.close)
        return probe

    @inlineCallbacks
    def seen(self, *probes: IProbe) -> Any:
        """What the probes say they have seen in a round; nothing when all was well."""
        results = yield self.look(*probes)
        for result in results:
            self.assertNotIn(SECRET, result.reason)
            self.assertNotIn(WRONG, result.reason)
        return [
            result.reason.partition(f"{probe.target}: ")[2].removesuffix(", expected an open connection")
            for probe, result in zip(probes, results, strict=True)
        ]

    @inlineCallbacks
    def assert_times_out(self, probe: IProbe) -> Steps:
        """A round fails at its timeout, and not much later."""
        (result,) = yield self.look(probe)
        self.assertIn(f"no answer within {probe.timeout:g}s", result.reason)
        self.assertLess(abs(result.took - probe.timeout), TOLERANCE)


class OpeningTests(BrokerTests):
    @inlineCallbacks
    def test_right(self) -> Steps:
        """With the right login into a virtual host: all is well, and the connection is closed again."""
        seen = yield self.seen(self.amqp(self.dsn()), self.amqp(self.dsn("")), self.amqp(self.dsn("%2F")))
        self.assertEqual(seen, ["", "", ""])
        yield self.until(lambda: self.broker.connections() == 0)
        yield self.until(lambda: self.broker.log().count("closing AMQP connection") >= 3)
        self.assertNotIn("client unexpectedly closed", self.broker.log().rpartition("user 'app'")[2])

    @inlineCallbacks
    def test_refused(self) -> Steps:
        """Who is not let in is told why."""
        seen = yield self.seen(
            self.amqp(self.dsn(password=WRONG)),
            self.amqp(self.dsn(user="stranger")),
            self.amqp(self.dsn("nowhere")),
            self.amqp(self.dsn(user="nobody")),
            self.amqp(f"amqp://localhost:{self.broker.port}/"),
        )
        wrong = "ACCESS_REFUSED: user or password is wrong"
        self.assertEqual(
            seen,
            [
                wrong,
                wrong,
                "NOT_ALLOWED: vhost nowhere not found",
                "NOT_ALLOWED: access to vhost 'orders' refused for user 'nobody'",
                f"{wrong} (or it is from elsewhere: guest may log in from localhost only)",
            ],
        )

    @inlineCallbacks
    def test_nobody_or_somebody_else(self) -> Steps:
        """Nobody there, a name that does not exist, and those who speak something else."""
        web, rude = self.peer(b"HTTP/1.1 400 Bad Request\r\n\r\n", hangs_up=True), self.peer(None)
        ports = [free_port(), web.port, rude.port, self.broker.tls_port]
        probes = [self.amqp(f"amqp://app:{WRONG}@localhost:{port}/") for port in ports]
        seen = yield self.seen(*probes, self.amqp("amqp://no-such-host.invalid"))
        self.assertEqual(
            seen[:4],
            [
                "connection refused",
                "not an AMQP server, it says 'HTTP/1.1 400 Bad Request'",
                "connection closed without an answer",
                "the server speaks TLS: write amqps://",
            ],
        )
        self.assertNotEqual(seen[4], "")

    @inlineCallbacks
    def test_silent(self) -> Steps:
        """Who accepts and is silent fails at the timeout and is hung up on, over TLS, too."""
        silent = self.peer(b"")
        for scheme in ("amqp", "amqps"):
            yield self.assert_times_out(self.amqp(f"{scheme}://127.0.0.1:{silent.port}/", timeout=0.5))
        yield self.until(lambda: not silent.open)

    @inlineCallbacks
    def test_limits(self) -> Steps:
        """The broker agrees with the limits that a DSN asks for."""
        dsn = f"{self.dsn()}?heartbeat=1&channel_max=1&frame_max=4096&connection_timeout=1"
        probe = self.amqp(dsn, keep=True)
        for _ in range(3):
            self.assertEqual((yield self.seen(probe)), [""])

    @inlineCallbacks
    def test_variables(self) -> Steps:
        """User and password of the process's environment need no encoding."""
        template = f"amqp://%v:%v@localhost:{self.broker.port}/orders"
        environment = {TEMPLATE: template, USER: "app", PASSWORD: SECRET}
        probe = build(AmqpProbe(), context(reactor, environment=environment))
        self.assertEqual((yield self.seen(probe)), [""])


class TlsTests(BrokerTests):
    @inlineCallbacks
    def test_verified(self) -> Steps:
        """The right authority is enough, by name and by address; so is not to verify."""
        named = self.dsn(cacertfile=str(self.shared.authority))
        addressed = named.replace("@localhost", "@127.0.0.1")
        probes = [self.amqp(dsn) for dsn in (named, addressed, self.dsn(verify="verify_none"))]
        self.assertEqual((yield self.seen(*probes)), ["", "", ""])

    @inlineCallbacks
    def test_not_verified(self) -> Steps:
        """Another authority, the system's, another name and another password are told apart."""
        ours = str(self.shared.authority)
        seen = yield self.seen(
            self.amqp(self.dsn(cacertfile=str(self.shared.stranger))),
            self.amqp(self.dsn(heartbeat="5")),
            self.amqp(self.dsn(cacertfile=ours, server_name_indication="mq.example")),
            self.amqp(self.dsn(cacertfile=ours, password=WRONG)),
            self.amqp(self.dsn(cacertfile="/no/ca.pem")),
            self.amqp(self.dsn(cacertfile=ours).replace(str(self.broker.tls_port), str(self.broker.port))),
        )
        untrusted = "TLS failed: the certificate is expired, or not signed by an authority of"
        self.assertEqual(
            seen,
            [
                f"{untrusted} cacertfile",
                f"{untrusted} this system (name the authority with cacertfile)",
                "TLS failed: the certificate is not for mq.example",
                "ACCESS_REFUSED: user or password is wrong",
                "cacertfile /no/ca.pem cannot be read: no such file or directory",
                "TLS failed: wrong version number (does this port speak plain amqp://?)",
            ],
        )

    @inlineCallbacks
    def test_client_certificate(self) -> Steps:
        """A certificate with an encrypted key logs in by itself."""
        certificate, key = map(str, self.shared.client)
        ours = {"cacertfile": str(self.shared.authority), "certfile": certificate, "keyfile": key}
        dsn = self.dsn(user="", password="", **ours, auth_mechanism="external")
        seen = yield self.seen(self.amqp(f"{dsn}&password=kp4ss"), self.amqp(dsn))
        self.assertEqual(seen[0], "")
        self.assertIn("does not hold the key of certfile in PEM, or password does not open it", seen[1])


class KeptTests(BrokerTests):
    @inlineCallbacks
    def test_one_connection(self) -> Steps:
        """With reuseConn there is one connection, over TLS, too; without there is none between the rounds."""
        secure = self.dsn(cacertfile=str(self.shared.authority))
        probes = [self.amqp(self.dsn(), keep=True), self.amqp(secure, keep=True), self.amqp(self.dsn())]
        for _ in range(5):
            self.assertEqual((yield self.seen(*probes)), ["", "", ""])
            yield self.until(lambda: self.broker.connections() == 2)

    @inlineCallbacks
    def test_closed_by_the_broker(self) -> Steps:
        """A connection that the broker has closed is made anew in the next round."""
        probe = self.amqp(self.dsn(), keep=True)
        yield self.seen(probe)
        self.assertIn("procwrap probe", self.broker.control("list_connections", "client_properties"))
        self.broker.control("close_all_connections", "--global", "maintenance")
        yield self.until(lambda: self.broker.connections() == 0)
        self.assertEqual((yield self.seen(probe)), [""])
        self.assertEqual(self.broker.connections(), 1)

    @inlineCallbacks
    def test_resource_alarm(self) -> Steps:
        """A broker short of memory blocks those who publish; a probe is well, on both kinds of connection."""
        probes = [self.amqp(self.dsn(), keep=True), self.amqp(self.dsn())]
        yield self.seen(*probes)
        self.broker.control("set_vm_memory_high_watermark", "absolute", "1")
        try:
            for _ in range(3):
                self.assertEqual((yield self.seen(*probes)), ["", ""])
        finally:
            self.broker.control("set_vm_memory_high_watermark", "absolute", "1GB")

    @inlineCallbacks
    def test_stopped(self) -> Steps:
        """A broker that is stopped fails at the timeout, on a kept connection, too, and recovers after."""
        probes = [self.amqp(self.dsn(), keep=keep, timeout=0.7) for keep in (True, False)]
        self.assertEqual((yield self.seen(*probes)), ["", ""])
        self.broker.pause()
        try:
            for probe in (*probes, *probes):
                yield self.assert_times_out(probe)
        finally:
            self.broker.resume()
        for probe in probes:
            self.assertEqual((yield self.seen(probe)), [""])
        yield self.until(lambda: self.broker.connections() == 1)

    @inlineCallbacks
    def test_killed_and_back(self) -> Steps:
        """A broker that is killed in the middle of rounds fails them at once; back again, all is well."""
        watched = [self.watch(AmqpProbe(keep, self.dsn(), 2.0), 0.01) for keep in (True, False)]
        yield self.until(lambda: all(len(ended) > 5 for ended in watched))
        self.broker.kill()
        yield self.until(lambda: all("connection refused" in ended[-1][1].reason for ended in watched))
        for ended in watched:
            failed = next(result for _, result in ended if not result.succeeded)
            self.assertLess(failed.took, 1.0)
        self.broker.start()
        yield self.until(lambda: all(ended[-1][1].succeeded for ended in watched))
        self.assertNotIn(SECRET, str(watched))

    @inlineCallbacks
    def test_rounds_leave_nothing(self) -> Steps:
        """Round after round, whatever their ends: no descriptor, no timer and no connection is left."""
        kept, rude = self.amqp(self.dsn(), keep=True), Peer(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.addCleanup(rude.stop)
        others = [
            self.amqp(self.dsn()),
            self.amqp(self.dsn(password=WRONG), timeout=0.05),
            self.amqp(f"amqp://localhost:{rude.port}"),
            self.amqp(f"amqp://localhost:{free_port()}"),
        ]
        yield self.look(kept, *others)
        yield self.until(lambda: self.broker.connections() == 1)
        yield self.wait(0.1)
        sockets, timers = sockets_open(), len(reactor.getDelayedCalls())
        for _ in range(20_000 if LONG else 200):
            yield self.look(kept, *others)
            yield self.look(kept)
        yield self.until(lambda: self.broker.connections() == 1)
        yield self.until(lambda: (sockets_open(), len(reactor.getDelayedCalls())) <= (sockets, timers + 1))

    test_rounds_leave_nothing.timeout = 3600 if LONG else 60  # type: ignore[attr-defined]


class TestHosted:
    """procwrap itself, in a process of its own."""

    def test_example(self, shared: Surroundings, tmp_path: Path) -> None:
        """The example of the reference runs as it is, but for the port."""
        text = (ROOT / "docs" / "examples" / "probes" / "amqp.yaml").read_text()
        plan = yaml.safe_load(text.replace("localhost:5672", f"localhost:{shared.broker.port}"))
        with Hosted(tmp_path, plan) as hosted:
            hosted.up()
            assert shared.broker.connections() == 1
        self.shows_nothing(hosted)

    def test_variables_from_a_file(self, shared: Surroundings, tmp_path: Path) -> None:
        """Variables may come from envsFile, known only when the process starts; TLS is imported then, too."""
        template = f"amqps://%v:%v@localhost:{shared.broker.tls_port}/orders?cacertfile={shared.authority}"
        variables = tmp_path / "variables"
        variables.write_text(f"{TEMPLATE}={template}\n{USER}=app\n{PASSWORD}={SECRET}\n")
        check = {"delay": "0s", "amqp": {}}
        plan = [process("api", "sleep 60", envsFile=str(variables), readiness=check)]
        with Hosted(tmp_path, plan) as hosted:
            hosted.up()
        self.shows_nothing(hosted)

    def test_failures(self, shared: Surroundings, tmp_path: Path) -> None:
        """Failed rounds are told in one line each; a missing variable stops nobody."""
        often = {"delay": "0s", "period": "100ms", "restartOnFailure": False}
        dsn = f"amqp://app:{WRONG}@localhost:{shared.broker.port}/orders"
        plan = [
            process("refused", "sleep 60", readiness={**often, "amqp": {"dsn": dsn}}),
            process("missing", "sleep 60", readiness={**often, "amqp": None}),
        ]
        with Hosted(tmp_path, plan, http=True) as hosted:
            refused, missing = (
                hosted.until(lambda text=text: hosted.said(text))[0]
                for text in ("ACCESS_REFUSED: user or password is wrong", f"neither dsn .* nor {TEMPLATE}")
            )
            for path in ("/status", "/status?full", "/readiness", "/config", "/env"):
                assert WRONG not in str(hosted.get(path))
        assert f"amqp localhost:{shared.broker.port}/orders: ACCESS_REFUSED" in refused
        assert "amqp: neither dsn" in missing
        self.shows_nothing(hosted)

    @staticmethod
    def shows_nothing(hosted: Hosted) -> None:
        """Nothing of it is in any output: no password, no traceback, no word of pika's."""
        told = hosted.out.read_text() + hosted.err.read_text()
        for word in (SECRET, quote(SECRET, safe=""), WRONG, "Traceback", "pika"):
            assert word not in told
        assert hosted.err.read_text() == ""


def test_wrong_dsn(tmp_path: Path) -> None:
    """A wrong DSN is told by the config's line, without quoting it, before anything starts."""
    check = {"amqp": {"dsn": f"amqp://app:{WRONG}@localhost/?hartbeat=5"}}
    began = time.monotonic()
    with Hosted(tmp_path, [process("api", "sleep 60", readiness=check)]) as hosted:
        assert hosted.wait() == 2
    assert time.monotonic() - began < 5
    said = hosted.err.read_text()
    assert "unknown parameter hartbeat: expected one of auth_mechanism, heartbeat" in said
    assert WRONG not in said
