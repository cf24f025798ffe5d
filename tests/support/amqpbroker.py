"""A broker in memory, as far as one connection of an amqp probe sees it."""

from __future__ import annotations

from typing import Any

from pika import frame, spec
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

HEADER = b"AMQP\x00\x00\x09\x01"


class FakeBroker:
    """The other end of a connection that somebody began on a reactor in memory.

    Args:
        reactor: a MemoryReactorClock.
        port: the port of our end of the connection, seen from the broker.
        which: which of the connections, by default the last.
    """

    def __init__(self, reactor: Any, port: int = 40000, which: int = -1) -> None:
        host, where, factory = reactor.tcpClients[which][:3]
        self.protocol = factory.buildProtocol(None)
        self.transport = StringTransport(
            IPv4Address("TCP", "127.0.0.1", port), IPv4Address("TCP", host, where), lenient=True
        )
        self.protocol.makeConnection(self.transport)

    @property
    def left(self) -> bool:
        """Whether the probe has hung up."""
        return self.transport.disconnected or self.transport.disconnecting

    def heard(self) -> list[str]:
        """The names of the methods that came since the last call; ``header`` for the protocol header."""
        data, names = self.transport.value(), []
        self.transport.clear()
        while data:
            used, found = frame.decode_frame(data)
            names.append(found.method.NAME if isinstance(found, frame.Method) else "header")
            data = data[used:]
        return names

    def says(self, method: Any, channel: int = 0) -> None:
        """Send a method."""
        self.protocol.dataReceived(frame.Method(channel, method).marshal())

    def start(self, mechanisms: str = "PLAIN AMQPLAIN") -> None:
        """Greet."""
        self.says(spec.Connection.Start(0, 9, {"capabilities": {}}, mechanisms, "en_US"))

    def tune(self, heartbeat: int = 60) -> None:
        """Accept the login."""
        self.says(spec.Connection.Tune(2047, 131072, heartbeat))

    def open(self) -> None:
        """Let the probe in, from the greeting on."""
        self.start()
        self.tune()
        self.says(spec.Connection.OpenOk())

    def refuse(self, code: int, text: str) -> None:
        """Close the connection with a reason."""
        self.says(spec.Connection.Close(code, text, 0, 0))

    def answer(self) -> None:
        """Answer whatever the probe asks over a connection that is kept."""
        answers = {
            "Channel.Open": (spec.Channel.OpenOk(), 1),
            "Basic.Qos": (spec.Basic.QosOk(), 1),
            "Channel.Close": (spec.Channel.CloseOk(), 1),
            "Connection.Close": (spec.Connection.CloseOk(), 0),
        }
        while asked := [name for name in self.heard() if name in answers]:
            for name in asked:
                self.says(*answers[name])

    def gone(self, reason: Exception | None = None) -> None:
        """End the connection."""
        self.protocol.connectionLost(Failure(reason or ConnectionDone()))
