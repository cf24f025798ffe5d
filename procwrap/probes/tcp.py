"""The ``tcp`` probe: open a connection and close it again."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.abstract import isIPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
from procwrap.probes.dial import Dial
from procwrap.probes.wording import missed, trouble, unexpected
from procwrap.spec.probe import TcpProbe


@implementer(IProbe)
@define(eq=False)
class Tcp:
    """Succeeds when somebody accepts a connection."""

    _spec: TcpProbe
    _context: ProbeContext
    _dial: Dial = field(init=False)

    kind = "tcp"
    expected = "to connect"

    def __attrs_post_init__(self) -> None:
        context, spec = self._context, self._spec
        self._dial = Dial(context.reactor, context.asides, spec.host, spec.port)

    @property
    def timeout(self) -> float:
        """As configured."""
        return self._spec.timeout

    @property
    def target(self) -> str:
        """``host:port``, an IPv6 address in brackets."""
        host = self._spec.host
        return f"[{host}]:{self._spec.port}" if isIPv6Address(host) else f"{host}:{self._spec.port}"

    def check(self) -> Deferred[None]:
        """Connect."""
        return self._dial.connect(_SILENT).addCallbacks(self._connected, self._failed)

    def close(self) -> None:
        """Nothing is kept."""

    def _connected(self, protocol: Any) -> None:
        transport: ITCPTransport = protocol.transport
        to_itself = transport.getHost() == transport.getPeer()
        transport.loseConnection()
        if to_itself:
            # When nobody listens on a port from the ephemeral range, the kernel may pick that very port
            # as ours; the connection then succeeds, to itself (simultaneous open, RFC 9293, 3.5).
            raise missed(self, "nobody listens")

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, ConnectError | OSError):
            raise missed(self, trouble(error)) from None
        raise unexpected(self, error) from None


_SILENT = Factory.forProtocol(Protocol)
_SILENT.noisy = False
