"""The amqp probe against a broker in memory."""

from __future__ import annotations

import logging
from typing import Any

from pika import frame, spec
from twisted.internet import error
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.dsn.amqptemplate import PASSWORD, TEMPLATE, USER
from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.amqp import Amqp
from procwrap.probes.amqpsession import LINGER, MOST
from procwrap.probes.aside import Asides
from procwrap.probes.look import look_at_all
from procwrap.spec.probe import AmqpProbe
from tests.support.amqpbroker import HEADER, FakeBroker
from tests.support.probes import ProbeReactor, context

DSN = "amqp://app:hunter2@127.0.0.1:5673/orders"
TARGET = "amqp 127.0.0.1:5673/orders: "
EXPECTED = ", expected an open connection"


class WithoutOpenSsl(Asides):
    """Threads that cannot import pyOpenSSL."""

    def ask(self, question: Any, about: str) -> Deferred[Any]:
        """Fail."""
        return fail(ModuleNotFoundError("No module named 'OpenSSL'", name="OpenSSL"))


class AmqpTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = ProbeReactor()
        self.addCleanup(self.nothing_left)

    def nothing_left(self) -> None:
        """No test leaves a timer, and none a word in the log."""
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def probe(self, dsn: str | None = DSN, *, keep: bool = False, **environment: str) -> Amqp:
        """A probe; its timeout is two seconds."""
        return Amqp(AmqpProbe(keep, dsn, 2.0), context(self.reactor, environment=environment))

    def begin(self, probe: Amqp | None = None) -> tuple[Deferred[None], FakeBroker]:
        """Begin a round that connects."""
        checked = (probe or self.probe()).check()
        return checked, FakeBroker(self.reactor)

    def kept(self) -> tuple[Amqp, FakeBroker]:
        """A probe with a connection that is kept."""
        probe = self.probe(keep=True)
        checked, broker = self.begin(probe)
        broker.open()
        self.successResultOf(checked)
        return probe, broker

    def seen(self, checked: Deferred[Any]) -> str:
        """What a failed round says it has seen."""
        failed: ProbeError = self.failureResultOf(checked, ProbeError).value
        self.assertNotIn("hunter2", failed.reason)
        before, found, rest = failed.reason.partition(TARGET)
        self.assertEqual((before, found), ("", TARGET))
        self.assertTrue(rest.endswith(EXPECTED), rest)
        return rest.removesuffix(EXPECTED)


class OpeningTests(AmqpTests):
    def test_provides_iprobe(self) -> None:
        """It is a probe like any other."""
        probe = self.probe()
        verifyObject(IProbe, probe)
        self.assertEqual((probe.kind, probe.timeout, probe.target), ("amqp", 2.0, TARGET[:-2]))

    def test_handshake(self) -> None:
        """It succeeds when the handshake is done, says goodbye, and hangs up when the broker has, too."""
        checked, broker = self.begin()
        self.assertEqual(broker.heard(), ["header"])
        broker.start()
        self.assertEqual(broker.heard(), ["Connection.StartOk"])
        broker.tune()
        self.assertEqual(broker.heard(), ["Connection.TuneOk", "Connection.Open"])
        self.assertNoResult(checked)
        broker.says(spec.Connection.OpenOk())
        self.successResultOf(checked)
        self.assertEqual(broker.heard(), ["Connection.Close"])
        self.assertFalse(broker.left)
        broker.says(spec.Connection.CloseOk())
        self.assertTrue(broker.left)
        broker.gone()

    def test_what_is_sent(self) -> None:
        """User, password, virtual host and limits are those of the DSN; the broker is told who asks."""
        dsn = "amqp://us%C3%A9r:p%40ss@127.0.0.1:5673/orders?heartbeat=7&channel_max=3"
        checked, broker = self.begin(self.probe(dsn))
        broker.start()
        data = broker.transport.value()[8:]
        _, begun = frame.decode_frame(data)
        self.assertEqual(begun.method.response, "\0usér\0p@ss".encode())
        self.assertEqual(begun.method.client_properties["product"], "procwrap")
        broker.transport.clear()
        broker.tune()
        data = broker.transport.value()
        used, tuned = frame.decode_frame(data)
        _, entered = frame.decode_frame(data[used:])
        self.assertEqual((tuned.method.heartbeat, tuned.method.channel_max), (7, 3))
        self.assertEqual(entered.method.virtual_host, "orders")
        broker.gone()
        self.seen(checked)

    def test_refused(self) -> None:
        """Nobody listens: the system's words."""
        checked = self.probe().check()
        factory, connector = self.reactor.tcpClients[-1][2], self.reactor.connectors[-1]
        factory.clientConnectionFailed(connector, Failure(error.ConnectionRefusedError(111, "x")))
        self.assertEqual(self.seen(checked), "connection refused")

    def test_environment(self) -> None:
        """Without a DSN it is put together from the variables of the process, and may change with them."""
        template = "amqp://%v:%v@127.0.0.1:5673/orders"
        variables = {TEMPLATE: template, USER: "app", PASSWORD: "hunter2"}
        checked, broker = self.begin(self.probe(None, **variables))
        broker.refuse(541, "INTERNAL_ERROR - no")
        self.assertEqual(self.seen(checked), "INTERNAL_ERROR: no")
        broker.gone()

    def test_missing_variables(self) -> None:
        """A missing variable is named in one line; it crashes nobody."""
        checked = self.probe(None, **{TEMPLATE: "amqp://%v:%v@mq", USER: "app"}).check()
        failed = self.failureResultOf(checked, ProbeError).value
        self.assertEqual(failed.reason, f"amqp: {PASSWORD} is not set, expected an open connection")

    def test_tls_is_not_installed(self) -> None:
        """Where pyOpenSSL is missing, an amqps probe says what to install."""
        lent = context(self.reactor, asides=WithoutOpenSsl(self.reactor))
        checked = Amqp(AmqpProbe(dsn="amqps://127.0.0.1/"), lent).check()
        failed = self.failureResultOf(checked, ProbeError).value
        self.assertIn("amqps needs OpenSSL: pip install 'twisted[tls]'", failed.reason)

    def test_targets(self) -> None:
        """The target is where it connects to, without the login."""
        for dsn, target in (
            ("amqp://app:hunter2@mq", "amqp mq:5672/"),
            ("amqps://app:hunter2@[::1]/a%2Fb%20c", "amqps [::1]:5671/a%2Fb%20c"),
            (None, "amqp"),
        ):
            self.assertEqual(self.probe(dsn).target, target)


class RefusedTests(AmqpTests):
    def refused(self, code: int, text: str, *, dsn: str = DSN, entering: bool = False) -> str:
        """What is seen when the broker closes with a reason, while logging in or later."""
        checked, broker = self.begin(self.probe(dsn))
        broker.start()
        if entering:
            broker.tune()
        broker.refuse(code, text)
        broker.gone()
        return self.seen(checked)

    def test_wrong_password(self) -> None:
        """A refused login says so, and for guest what else it may be."""
        text = "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see …"
        self.assertEqual(self.refused(403, text), "ACCESS_REFUSED: user or password is wrong")
        guest = self.refused(403, text, dsn="amqp://127.0.0.1:5673/orders")
        self.assertIn("guest may log in from localhost only", guest)

    def test_virtual_host(self) -> None:
        """A virtual host that does not exist, or that the user may not enter, is the broker's own words."""
        missing = self.refused(530, "NOT_ALLOWED - vhost orders not found", entering=True)
        self.assertEqual(missing, "NOT_ALLOWED: vhost orders not found")
        text = "NOT_ALLOWED - access to vhost 'orders' refused for user 'app'"
        self.assertEqual(self.refused(530, text, entering=True), text.replace(" - ", ": "))

    def test_lying_broker(self) -> None:
        """A broker that sends the password back does not get it into a log, nor more than one line."""
        seen = self.refused(530, "NOT_ALLOWED - app hunter2\nlevel=error " + "x" * 200, entering=True)
        self.assertTrue(seen.startswith("NOT_ALLOWED: app *** level=error xxx"), seen)

    def test_old_brokers_hang_up(self) -> None:
        """A broker that just hangs up has a reason, which depends on when."""
        for stages, reason in (
            ((), "connection closed without an answer"),
            ((FakeBroker.start,), "connection closed while logging in: are user and password right?"),
            (
                (FakeBroker.start, FakeBroker.tune),
                "connection closed while entering the virtual host: does it exist, may the user enter it?",
            ),
        ):
            checked, broker = self.begin()
            for stage in stages:
                stage(broker)
            broker.gone(error.ConnectionLost())
            self.assertEqual(self.seen(checked), reason)

    def test_mechanism(self) -> None:
        """A broker that does not take passwords says so."""
        checked, broker = self.begin()
        broker.start("EXTERNAL GSSAPI")
        self.assertEqual(self.seen(checked), "the broker does not offer to log in by PLAIN")
        broker.gone()

    def test_other_versions(self) -> None:
        """A server that speaks another AMQP is told from one that speaks none."""
        bad, mail = b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n", b"220 mail ready " + b"x" * 80
        for said, reason in (
            (b"AMQP\x00\x01\x00\x00", "the server speaks AMQP 1.0 only, not 0-9-1"),
            (b"AMQP\x00\x00\x09\x01", "the server speaks AMQP 0-9-1 only, not 0-9-1"),
            (b"AMQP\x01\x01", "the server speaks AMQP of another version only, not 0-9-1"),
            (
                bad,
                "not an AMQP server, it says 'HTTP/1.1 400 Bad Request'",
            ),
            (b"\x15\x03\x03\x00\x02\x02\x46", "the server speaks TLS: write amqps://"),
            (mail, f"not an AMQP server, it says '220 mail ready {'x' * 24}…'"),
            (b"\x00\xff\xfe", "not an AMQP server, it says 'ÿþ'"),
            (b"\x00\n", "not an AMQP server"),
        ):
            checked, broker = self.begin()
            broker.protocol.dataReceived(said)
            self.assertEqual(self.seen(checked), reason)
            self.assertTrue(broker.left)
            broker.gone()

    def test_connected_to_itself(self) -> None:
        """A connection that the kernel made from a port to itself is nobody listening."""
        checked = self.probe().check()
        broker = FakeBroker(self.reactor, port=5673)
        broker.protocol.dataReceived(HEADER)
        self.assertEqual(self.seen(checked), "nobody listens")
        broker.gone()


class RudeTests(AmqpTests):
    def test_silent(self) -> None:
        """A broker that accepts and is silent fails at the timeout, and is hung up on."""
        round_ = look_at_all([self.probe()], self.reactor)
        broker = FakeBroker(self.reactor)
        self.reactor.advance(2.0)
        (result,) = self.successResultOf(round_)
        self.assertEqual(result.reason, f"{TARGET}no answer within 2s{EXPECTED}")
        self.assertTrue(broker.transport.disconnected)
        broker.gone(error.ConnectionAborted())

    def test_silent_in_the_middle(self) -> None:
        """So is one that falls silent later; the heartbeat it had asked for leaves no timer."""
        round_ = look_at_all([self.probe()], self.reactor)
        broker = FakeBroker(self.reactor)
        broker.start()
        broker.tune()
        self.reactor.advance(2.0)
        self.assertIn("no answer within 2s", self.successResultOf(round_)[0].reason)
        self.assertTrue(broker.transport.disconnected)
        broker.gone(error.ConnectionAborted())

    def test_no_goodbye(self) -> None:
        """A broker that never answers our goodbye is left after a while; the round had succeeded before."""
        checked, broker = self.begin()
        broker.open()
        self.successResultOf(checked)
        self.reactor.advance(LINGER)
        self.assertTrue(broker.transport.disconnected)
        broker.gone(error.ConnectionAborted())

    def test_one_connection_at_a_time(self) -> None:
        """The next round waits until the connection of the last is closed."""
        probe = self.probe()
        _, broker = self.begin(probe)
        broker.open()
        checked = probe.check()
        self.assertEqual(len(self.reactor.tcpClients), 1)
        broker.answer()
        broker.gone()
        second = FakeBroker(self.reactor)
        self.assertEqual(len(self.reactor.tcpClients), 2)
        second.open()
        self.successResultOf(checked)
        second.answer()
        second.gone()

    def test_garbage(self) -> None:
        """What begins like AMQP and is none ends the round, not procwrap."""
        for garbage in (
            b"\x01\x00\x00\x00\x00\x00\x04\xff\xff\xff\xff\xce",
            b"\x01\x00\x00\x00\x00\x00\x04\xff\xff\xff\xff\x00",
            b"\x01\x00\x00\x00\x00\x00\x05\x00\x0a\x00\x0a\x00\xce",
            b"\x01\x00\x00\x00\x00\x00\x01\x00\xce",
        ):
            checked, broker = self.begin()
            broker.protocol.dataReceived(garbage)
            self.assertRegex(self.seen(checked), r"not proper AMQP \(\w+\)")
            self.assertTrue(broker.left)
            broker.gone(error.ConnectionAborted())
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_endless_answer(self) -> None:
        """A frame of four gigabytes is not waited for, nor kept in memory."""
        checked, broker = self.begin()
        broker.protocol.dataReceived(b"\x01\x00\x00\xff\xff\xff\xff")
        for _ in range(MOST // 8192):
            broker.protocol.dataReceived(bytes(8192))
        self.assertEqual(self.seen(checked), "an endless answer")
        self.assertTrue(broker.left)
        broker.gone(error.ConnectionAborted())

    def test_quiet(self) -> None:
        """No handler of the standard library's logging hears of any end of a connection."""
        heard: list[logging.LogRecord] = []
        root, handler = logging.getLogger(), logging.Handler()
        handler.emit = heard.append  # type: ignore[method-assign]
        root.addHandler(handler)
        self.addCleanup(root.removeHandler, handler)
        for say in (FakeBroker.start, FakeBroker.open, lambda broker: broker.refuse(403, "no")):
            checked, broker = self.begin()
            say(broker)
            broker.gone(error.ConnectionLost())
            checked.addErrback(lambda _: None)
        self.assertEqual(heard, [])
        logging.getLogger("somebody.else").warning("still heard")
        self.assertEqual([record.getMessage() for record in heard], ["still heard"])

    def test_thousands_of_rounds(self) -> None:
        """Whatever end rounds have, they leave no timers, no connections and no log lines behind."""
        probes = [self.probe() for _ in range(4)]
        for _ in range(1000):
            round_ = look_at_all(probes, self.reactor)
            good, refusing, closing, silent = (FakeBroker(self.reactor, which=each) for each in range(4))
            good.open()
            good.answer()
            refusing.start()
            refusing.refuse(403, "ACCESS_REFUSED - no")
            closing.gone()
            self.reactor.advance(2.0)
            results = self.successResultOf(round_)
            self.assertEqual([result.succeeded for result in results], [True, False, False, False])
            for broker in (good, refusing, silent):
                self.assertTrue(broker.left)
                broker.gone()
            self.reactor.tcpClients.clear()
            self.reactor.connectors.clear()
        self.assertEqual(self.flushLoggedErrors(), [])


class KeptTests(AmqpTests):
    def test_asks_over_the_connection_that_is_kept(self) -> None:
        """Later rounds connect no more; each has the broker answer once."""
        probe, broker = self.kept()
        broker.heard()
        for asked in (["Channel.Open"], ["Basic.Qos"], ["Basic.Qos"]):
            checked = probe.check()
            self.assertEqual(broker.heard(), asked)
            self.assertNoResult(checked)
            if asked == ["Channel.Open"]:
                broker.says(spec.Channel.OpenOk(), 1)
                self.assertEqual(broker.heard(), ["Basic.Qos"])
            broker.says(spec.Basic.QosOk(), 1)
            self.successResultOf(checked)
        self.assertEqual(len(self.reactor.tcpClients), 1)
        broker.gone()

    def test_closed_between_rounds(self) -> None:
        """When it was closed, by the broker, the network or a heartbeat missed, the next round reconnects."""
        probe, broker = self.kept()
        for end in ("by the broker", "by the network", "by us, for want of a heartbeat"):
            if end == "by the broker":
                broker.refuse(320, "CONNECTION_FORCED - maintenance")
            elif end == "by us, for want of a heartbeat":
                self.reactor.pump([65.0, 65.0])
            if end == "by the network":
                broker.gone(error.ConnectionLost())
                checked = probe.check()
            else:
                self.assertTrue(broker.left)
                checked = probe.check()
                self.assertNoResult(checked)
                broker.gone()
            broker = FakeBroker(self.reactor)
            broker.open()
            self.successResultOf(checked)
        broker.gone()

    def test_dead_peer(self) -> None:
        """A broker that does not answer any more fails within the timeout; the next round connects anew."""
        probe, broker = self.kept()
        round_ = look_at_all([probe], self.reactor)
        self.reactor.advance(2.0)
        self.assertIn("no answer within 2s", self.successResultOf(round_)[0].reason)
        self.assertTrue(broker.transport.disconnected)
        checked = probe.check()
        broker.gone(error.ConnectionAborted())
        broker = FakeBroker(self.reactor)
        broker.open()
        self.successResultOf(checked)
        broker.gone()

    def test_closed_within_a_round(self) -> None:
        """A connection that ends while the broker is asked fails that round, and says how it ended."""
        for answered in (False, True):
            probe, broker = self.kept()
            checked = probe.check()
            if answered:
                broker.says(spec.Channel.OpenOk(), 1)
            broker.refuse(320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'")
            broker.gone()
            self.assertIn("CONNECTION_FORCED: broker forced connection closure", self.seen(checked))

    def test_channel_closed(self) -> None:
        """A broker that does not want our channel is no open connection; it is parted from."""
        probe, broker = self.kept()
        checked = probe.check()
        broker.says(spec.Channel.OpenOk(), 1)
        broker.says(spec.Channel.Close(404, "NOT_FOUND - hunter2", 0, 0), 1)
        self.assertEqual(self.seen(checked), "no channel (ChannelClosedByBroker)")
        self.assertTrue(broker.left)
        broker.gone()

    def test_resource_alarm(self) -> None:
        """A broker short of memory or disk blocks publishers; the connection is open, so all is well."""
        probe, broker = self.kept()
        broker.says(spec.Connection.Blocked("low on memory"))
        checked = probe.check()
        broker.answer()
        self.successResultOf(checked)
        broker.gone()

    def test_close(self) -> None:
        """Closing the probe says goodbye and leaves a broker that does not answer."""
        probe, broker = self.kept()
        broker.heard()
        probe.close()
        self.assertEqual(broker.heard(), ["Connection.Close"])
        probe.close()
        self.reactor.advance(LINGER)
        self.assertTrue(broker.transport.disconnected)
        broker.gone(error.ConnectionAborted())
        probe.close()

    def test_stopped_within_a_round(self) -> None:
        """Cancelled and closed, as when the process is stopped, nothing is left, however far it had come."""
        for stages in ((), (FakeBroker.start,), (FakeBroker.start, FakeBroker.tune)):
            probe = self.probe(keep=True)
            round_ = look_at_all([probe], self.reactor)
            broker = FakeBroker(self.reactor)
            for stage in stages:
                stage(broker)
            round_.addErrback(lambda _: None)
            round_.cancel()
            probe.close()
            self.assertTrue(broker.left)
            broker.gone(error.ConnectionAborted())
            self.nothing_left()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_flood(self) -> None:
        """A broker that talks without end on a connection that is kept is parted from."""
        probe, broker = self.kept()
        heartbeats = frame.Heartbeat().marshal() * 1024
        for _ in range(MOST // len(heartbeats) + 1):
            broker.protocol.dataReceived(heartbeats)
        self.assertTrue(broker.left)
        broker.gone(error.ConnectionAborted())
        checked = probe.check()
        broker = FakeBroker(self.reactor)
        broker.open()
        self.successResultOf(checked)
        broker.gone()
