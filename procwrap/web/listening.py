"""Takes the socket of HTTP before any process is started, and answers on it when all is built.

In between, connections wait in the kernel. So a port in use is found out while nothing has happened yet,
and the processes do not wait for Klein to be imported: nothing here imports it, nor ``twisted.web``.
"""

from __future__ import annotations

import socket
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IProtocolNegotiationFactory,
    IReadDescriptor,
)
from twisted.internet.protocol import Factory
from twisted.internet.tcp import Port
from twisted.internet.unix import Port as UnixPort
from twisted.python.failure import Failure
from zope.interface import implementer

from procwrap.errors import CannotStartError
from procwrap.spec.control import ServerTls
from procwrap.web.address import Described, Tcp, Unix, not_an_address, parse_address
from procwrap.web.controlsocket import ControlSocket
from procwrap.web.early import complaining, tcp_only
from procwrap.web.servertls import context_factory
from procwrap.web.sockets import BACKLOG, open_listener


@implementer(IProtocolNegotiationFactory)
class LateFactory(Factory):
    """Stands for a factory that will be built later."""

    noisy = False
    real: IProtocolFactory | None = None

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:  # type: ignore[override]
        """Let the real factory answer; without it the connection is closed."""
        return None if self.real is None else self.real.buildProtocol(addr)

    def acceptableProtocols(self) -> list[bytes]:
        """Offer TLS clients HTTP/1.1; Twisted refuses those who ask, if nothing is offered."""
        return [b"http/1.1"]

    def stopFactory(self) -> None:
        """Tell the real factory that nobody listens any more."""
        if self.real is not None:
            self.real.doStop()


@define(eq=False)
class Bound:
    """A socket that is ours; clients can connect, and are answered after ``serve``.

    Attributes:
        where: as it was asked for.
    """

    where: str
    _reactor: Any
    _port: IListeningPort
    _late: LateFactory
    _stopped: bool = field(init=False, default=False)

    @property
    def host(self) -> IAddress:
        """The address, with the port that the kernel chose if 0 was asked for."""
        return self._port.getHost()

    def serve(self, factory: IProtocolFactory) -> None:
        """Answer from now on, those first who came in the meantime."""
        self._late.real = factory
        factory.doStart()
        if IReadDescriptor.providedBy(self._port):
            self._reactor.addReader(self._port)

    def stop(self) -> Deferred[None]:
        """Listen no more, end all connections, remove a unix socket; fires when that is done."""
        if self._stopped:
            return succeed(None)
        self._stopped = True
        ended: Deferred[Any] = maybeDeferred(self._port.stopListening)
        return ended.addErrback(self._already_gone)

    def _already_gone(self, failure: Failure) -> None:
        # Somebody has removed our unix socket, and Twisted stops in the middle of closing it.
        failure.trap(FileNotFoundError)
        Port.connectionLost(self._port, failure)  # type: ignore[arg-type]


def bind(
    where: str, reactor: Any, listener: socket.socket | None = None, tls: ServerTls | None = None
) -> Bound:
    """Bind and listen; nothing is accepted before ``Bound.serve``.

    Args:
        where: ``:8111`` (all interfaces, IPv6 too if there is any), ``host:port``, ``[::1]:8111``,
            ``unix:/path`` or another Twisted endpoint description.
        reactor: provides IReactorSocket, IReactorUNIX and IReactorFDSet.
        listener: the socket, if it was opened already; see ``web.early``.
        tls: what an address of TCP is served with.

    Raises:
        UsageError: this is not an address, or none for TLS.
        CannotStartError: the address cannot be had, or the files for TLS are no good.
    """
    late = LateFactory()
    address = parse_address(where)
    factory = late if tls is None else _through_tls(late, tls, where, address)
    with complaining(where):
        if isinstance(address, Described):
            port = _listen_as_described(address.description, reactor, factory)
        else:
            with listener or open_listener(address) as ours:
                port = _adopt(address, ours, reactor, factory)
    if IReadDescriptor.providedBy(port):
        reactor.removeReader(port)
    return Bound(where, reactor, port, late)


def adopt_control(control: ControlSocket, reactor: Any) -> Bound:
    """Have the reactor listen on the control socket; nothing is accepted before ``Bound.serve``."""
    late = LateFactory()
    with control.listener as ours:
        port = UnixPort._fromListeningDescriptor(reactor, ours.fileno(), late)
    # As if it were not in the file system: Twisted would change the mode of whatever stands at the path by
    # now, and remove it at the end, whoever put it there.
    port._bindPath, port.backlog = b"\0" + port._bindPath, BACKLOG
    port.startListening()
    reactor.removeReader(port)
    return Bound(control.path, reactor, port, late)


def _through_tls(late: LateFactory, tls: ServerTls, where: str, address: object) -> IProtocolFactory:
    tcp_only(where, address)
    context = context_factory(tls)
    from twisted.protocols.tls import TLSMemoryBIOFactory  # it imports pyOpenSSL

    return TLSMemoryBIOFactory(context, False, late)


def _adopt(address: Tcp | Unix, listener: socket.socket, reactor: Any, factory: IProtocolFactory) -> Any:
    # The reactor works with a duplicate of the socket.
    if isinstance(address, Tcp):
        return reactor.adoptStreamPort(listener.fileno(), listener.family, factory)
    # What adoptStreamPort does for unix sockets, but for permissions and backlog: it knows just its own.
    port = UnixPort._fromListeningDescriptor(reactor, listener.fileno(), factory)
    port.mode, port.backlog = address.mode, BACKLOG
    port.startListening()
    return port


def _listen_as_described(description: str, reactor: Any, factory: IProtocolFactory) -> Any:
    from twisted.internet.endpoints import serverFromString  # heavy, and rarely needed

    try:
        endpoint = serverFromString(reactor, description)
    except OSError:
        raise  # a key or certificate that cannot be read
    except Exception as error:
        # Twisted's parsers, and those of plugins, raise whatever comes: ValueError, TypeError, SSL.Error.
        raise not_an_address(description, str(error).partition("\n")[0] or type(error).__name__) from None
    results: list[Any] = []
    endpoint.listen(factory).addBoth(results.append)
    if not results:
        raise CannotStartError(f"cannot listen on {description}: the endpoint does not listen at once")
    if isinstance(results[0], Failure):
        results[0].raiseException()
    return results[0]
