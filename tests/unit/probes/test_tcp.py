from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.aside import Asides
from procwrap.probes.look import look_at_all
from procwrap.probes.tcp import Tcp
from procwrap.spec.probe import TcpProbe
from tests.support.probes import ProbeReactor, context


class TcpTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = ProbeReactor()
        self.threads: list[Callable[[], None]] = []
        self.probe = self.build("127.0.0.1")

    def build(self, host: str) -> Tcp:
        return Tcp(
            TcpProbe(host, 5673, timeout=2.0),
            context(self.reactor, asides=Asides(self.reactor, self.threads.append)),
        )

    def accept(self, ours: int = 40000) -> StringTransport:
        """Let the peer accept the last connection; ours is the port it comes from."""
        transport = StringTransport(
            hostAddress=IPv4Address("TCP", "127.0.0.1", ours),
            peerAddress=IPv4Address("TCP", "127.0.0.1", 5673),
        )
        self.reactor.tcpClients[-1][2].buildProtocol(None).makeConnection(transport)
        return transport

    def reason(self, checked: Deferred[None]) -> str:
        failed: ProbeError = self.failureResultOf(checked, ProbeError).value
        return failed.reason

    def test_provides_iprobe(self) -> None:
        """It is a probe like any other."""
        verifyObject(IProbe, self.probe)
        self.assertEqual((self.probe.kind, self.probe.timeout), ("tcp", 2.0))

    def test_accepted(self) -> None:
        """It succeeds when somebody accepts, and closes the connection at once."""
        checked = self.probe.check()
        self.assertNoResult(checked)
        transport = self.accept()
        self.assertIsNone(self.successResultOf(checked))
        self.assertTrue(transport.disconnecting)

    def test_refused(self) -> None:
        """The line names address, trouble and expectation."""
        checked = self.probe.check()
        factory, connector = self.reactor.tcpClients[-1][2], self.reactor.connectors[-1]
        factory.clientConnectionFailed(connector, Failure(error.ConnectionRefusedError(111, "x")))
        self.assertEqual(self.reason(checked), "127.0.0.1:5673: connection refused, expected to connect")

    def test_ipv6_target(self) -> None:
        """An IPv6 address is shown in brackets, as it is written in the config."""
        self.assertEqual(self.build("::1").target, "[::1]:5673")

    def test_unknown_name(self) -> None:
        """A name that does not resolve is a failed probe with the resolver's words."""

        def unknown(*_: object, **__: object) -> None:
            raise socket.gaierror(-2, "Name or service not known")

        checked = self.build("db").check()
        self.patch(socket, "getaddrinfo", unknown)
        self.threads.pop()()
        self.assertEqual(self.reason(checked), "db:5673: name or service not known, expected to connect")

    def test_silent_peer(self) -> None:
        """A peer that never accepts has failed at the timeout, and the attempt is given up."""
        round_ = look_at_all([self.probe], self.reactor)
        self.reactor.advance(2.0)
        (result,) = self.successResultOf(round_)
        self.assertEqual(result.reason, "127.0.0.1:5673: no answer within 2s, expected to connect")
        self.assertTrue(self.reactor.connectors[-1].stoppedConnecting)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_connected_to_itself(self) -> None:
        """A connection that the kernel made from a port to itself is nobody listening."""
        checked = self.probe.check()
        transport = self.accept(ours=5673)
        self.assertEqual(self.reason(checked), "127.0.0.1:5673: nobody listens, expected to connect")
        self.assertTrue(transport.disconnecting)

    def test_talkative_peer(self) -> None:
        """What a peer says after accepting is not listened to."""
        checked = self.probe.check()
        protocol = self.reactor.tcpClients[-1][2].buildProtocol(None)
        protocol.makeConnection(StringTransport())
        protocol.dataReceived(b"\x00\xff garbage" * 1000)
        protocol.connectionLost(Failure(error.ConnectionLost()))
        self.successResultOf(checked)

    def test_ten_thousand_rounds(self) -> None:
        """Accepted, refused or silent: rounds leave no timers and no log lines behind."""
        probes = [self.probe, self.build("127.0.0.2"), self.build("127.0.0.3")]
        for _ in range(3_334):
            round_ = look_at_all(probes, self.reactor)
            accepted, refused, _silent = self.reactor.tcpClients
            accepted[2].buildProtocol(None).makeConnection(StringTransport(hostAddress=1, peerAddress=2))
            trouble = Failure(error.ConnectionRefusedError(111, "x"))
            refused[2].clientConnectionFailed(self.reactor.connectors[1], trouble)
            self.reactor.advance(2.0)
            results = self.successResultOf(round_)
            self.assertEqual([result.succeeded for result in results], [True, False, False])
            self.reactor.tcpClients.clear()
            self.reactor.connectors.clear()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.flushLoggedErrors(), [])
