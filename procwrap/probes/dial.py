"""Connecting to ``host:port`` without ever waiting for a name server in the reactor's thread pool."""

from __future__ import annotations

import socket
from collections.abc import Generator
from typing import Any

from attrs import define
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

from procwrap.probes.aside import Asides

Addresses = tuple[str, ...]

LOOPBACK: Addresses = ("127.0.0.1", "::1")
PATIENCE = 0.5
"""Seconds for each address of a name but the last."""
MOST = 8
"""Addresses of one name that are tried."""


def addresses(host: str, asides: Asides) -> Deferred[Addresses]:
    """Return a Deferred of at least one address; fails with OSError when there is none.

    ``localhost`` is the loopback interface without asking anyone (RFC 6761, section 6.3).
    """
    if isIPAddress(host) or isIPv6Address(host):
        return succeed((host,))
    if host.lower() == "localhost":
        return succeed(LOOPBACK)
    return asides.ask(look_up, host)


def look_up(host: str) -> Addresses:
    """Ask the system's resolver; blocks.

    Raises:
        OSError: the name has no address, or nobody could be asked.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))[:MOST]


@implementer(IStreamClientEndpoint)
@define(eq=False)
class Dial:
    """Connects to the first address of a host that answers, in the order the resolver prefers."""

    _reactor: Any
    _asides: Asides
    _host: str
    _port: int

    @inlineCallbacks
    def connect(self, factory: IProtocolFactory) -> Generator[Deferred[Any], Any, Any]:
        """Connect; fails with the ConnectError of the first address when none can be reached."""
        *others, last = yield addresses(self._host, self._asides)
        first_error: ConnectError | None = None
        for address in others:
            try:
                return (yield self._at(address, PATIENCE).connect(factory))
            except ConnectError as error:
                first_error = first_error or error
        try:
            # Whoever dials has a deadline of its own, so the last address needs none.
            return (yield self._at(last, None).connect(factory))
        except ConnectError as error:
            raise first_error or error from None

    def _at(self, address: str, timeout: float | None) -> IStreamClientEndpoint:
        # Twisted annotates timeout as float, but None is what connectTCP takes for no timeout.
        endpoint: Any = TCP6ClientEndpoint if isIPv6Address(address) else TCP4ClientEndpoint
        made: IStreamClientEndpoint = endpoint(self._reactor, address, self._port, timeout=timeout)
        return made
