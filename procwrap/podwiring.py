"""Part of the composition root: the way to the API server. It takes long to import, so that is done aside."""

from __future__ import annotations

import socket
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.web.client import URI, Agent, HTTPConnectionPool
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from procwrap.abrupt import AbruptFactory
from procwrap.pod.apiserver import ApiServer
from procwrap.pod.credentials import ServiceAccount
from procwrap.pod.trust import Trust
from procwrap.probes.aside import Asides
from procwrap.probes.dial import Dial
from procwrap.probes.httpwire import Wrapped
from procwrap.probes.wording import trouble
from procwrap.spec.pod import OwnPod

_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))
"""A peer that vanished is found out after a minute, however long nothing changes (tcp(7))."""


def wired(pod: OwnPod, reactor: Any, asides: Asides) -> ApiServer:
    """Build what asks the API server about our Pod; may be called in any thread.

    Raises:
        ApiError: the Pod has no service account's files.
    """
    account = ServiceAccount(pod.service_account)
    endpoints = _Endpoints(reactor, asides, Trust(account, pod.host), pod.host, pod.port)
    host = f"[{pod.host}]" if ":" in pod.host else pod.host
    return ApiServer(
        # Each request on a connection of its own: a watch occupies it to its end anyway.
        Agent.usingEndpointFactory(reactor, endpoints, HTTPConnectionPool(reactor, persistent=False)),
        account,
        reactor,
        f"https://{host}:{pod.port}",
        pod.namespace or account.namespace(),
        pod.name,
        trouble,
    )


@implementer(IAgentEndpointFactory)
@define(eq=False)
class _Endpoints:
    """Leads to the API server, whatever the URL."""

    _reactor: Any
    _asides: Asides
    _trust: Trust
    _host: str
    _port: int

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return the endpoint."""
        dial = _Lively(Dial(self._reactor, self._asides, self._host, self._port))
        return Wrapped(wrapClientTLS(self._trust.creator(), dial), AbruptFactory)


@implementer(IStreamClientEndpoint)
@define(eq=False)
class _Lively:
    """An endpoint whose connections end when their peer has vanished."""

    _endpoint: IStreamClientEndpoint

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect."""
        connecting: Deferred[Any] = self._endpoint.connect(factory)
        return connecting.addCallback(self._keep_alive)

    def _keep_alive(self, protocol: Any) -> Any:
        protocol.transport.setTcpKeepAlive(True)
        for option, value in _KEEP_ALIVE:
            protocol.transport.getHandle().setsockopt(socket.IPPROTO_TCP, option, value)
        return protocol
