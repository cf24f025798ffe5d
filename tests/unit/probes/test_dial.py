from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from procwrap.probes.aside import Asides
from procwrap.probes.dial import PATIENCE, Dial, look_up
from tests.support.probes import ProbeReactor


class DialTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = ProbeReactor()
        self.threads: list[Callable[[], None]] = []
        self.asides = Asides(self.reactor, self.threads.append)
        self.found: list[str] = []
        self.patch(socket, "getaddrinfo", self.getaddrinfo)

    def getaddrinfo(self, *_: object, **__: object) -> list[tuple[object, ...]]:
        """Be the name server: knows ``found``."""
        if not self.found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(2, 1, 6, "", (address, 0)) for address in self.found]

    def connect(self, host: str) -> Deferred[Any]:
        return Dial(self.reactor, self.asides, host, 80).connect(Factory.forProtocol(Protocol))

    def dialled(self) -> list[str]:
        return [client[0] for client in self.reactor.tcpClients]

    def accept(self) -> None:
        """Let the peer accept the last connection."""
        self.reactor.tcpClients[-1][2].buildProtocol(None).makeConnection(StringTransport())

    def refuse(self, why: error.ConnectError | None = None) -> None:
        """Let the last connection fail."""
        factory, connector = self.reactor.tcpClients[-1][2], self.reactor.connectors[-1]
        factory.clientConnectionFailed(connector, Failure(why or error.ConnectionRefusedError(111, "no")))

    def test_addresses_need_no_resolver(self) -> None:
        """IPv4 and IPv6 addresses are dialled as they are, without a timer of their own."""
        for host in ("192.0.2.1", "::1"):
            self.connect(host)
            self.assertEqual(self.dialled()[-1], host)
        self.assertEqual((self.threads, self.reactor.getDelayedCalls()), ([], []))

    def test_connected(self) -> None:
        """The Deferred fires with the protocol."""
        connecting = self.connect("192.0.2.1")
        self.accept()
        self.assertIsInstance(self.successResultOf(connecting), Protocol)

    def test_localhost_asks_nobody(self) -> None:
        """``localhost`` is 127.0.0.1 and then ::1, whatever the state of DNS."""
        connecting = self.connect("LocalHost")
        self.refuse()
        self.accept()
        self.successResultOf(connecting)
        self.assertEqual((self.dialled(), self.threads), (["127.0.0.1", "::1"], []))

    def test_nobody_listens_on_localhost(self) -> None:
        """When no address answers, the first one's error is told: the second may just not exist here."""
        connecting = self.connect("localhost")
        self.refuse()
        self.refuse(error.ConnectError(99, "Cannot assign requested address"))
        self.assertEqual(self.failureResultOf(connecting, error.ConnectionRefusedError).value.osError, 111)

    def test_silent_address(self) -> None:
        """An address that does not answer soon gives way to the next; the last may take its time."""
        self.found = ["192.0.2.1", "192.0.2.2"]
        connecting = self.connect("db")
        self.threads.pop()()
        self.assertEqual([client[3] for client in self.reactor.tcpClients], [PATIENCE])
        self.refuse(error.TimeoutError())
        self.assertEqual((self.dialled()[-1], self.reactor.tcpClients[-1][3]), ("192.0.2.2", None))
        connecting.cancel()
        self.failureResultOf(connecting)

    def test_unknown_name(self) -> None:
        """A name that cannot be resolved fails with the resolver's words."""
        connecting = self.connect("nowhere")
        self.threads.pop()()
        self.failureResultOf(connecting, socket.gaierror)
        self.assertEqual(self.dialled(), [])

    def test_cancel_while_connecting(self) -> None:
        """Cancelling ends the attempt itself, and no further address is tried."""
        connecting = self.connect("localhost")
        connecting.cancel()
        self.failureResultOf(connecting, error.ConnectingCancelledError, CancelledError)
        self.assertTrue(self.reactor.connectors[-1].stoppedConnecting)
        self.assertEqual(self.dialled(), ["127.0.0.1"])

    def test_cancel_while_resolving(self) -> None:
        """Cancelling leaves a hanging look-up to itself; its late answer connects nobody."""
        self.found = ["192.0.2.1"]
        connecting = self.connect("slow")
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.threads.pop()()
        self.assertEqual(self.dialled(), [])

    def test_one_look_up_per_name(self) -> None:
        """Many probes of one name on a dead name server hold one thread, not one each."""
        for _ in range(100):
            self.connect("dead")
        self.assertEqual(len(self.threads), 1)

    def test_look_up(self) -> None:
        """Each address of a name comes once, in the resolver's order, and no more than a few of them."""
        many = [f"192.0.2.{index}" for index in range(100)]
        self.found = [many[0], *many]
        self.assertEqual(look_up("many"), tuple(many[:8]))
