"""Part of the composition root: the HTTP client of what stands beside us, imported aside."""

from __future__ import annotations

from typing import Any

from attrs import define
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web.client import URI
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from procwrap.pod.ask import MOST_BYTES, Ask
from procwrap.pod.askwire import Asker, make_agent
from procwrap.probes.aside import Asides
from procwrap.probes.dial import LOOPBACK, Dial
from procwrap.probes.httpwire import BoundedFactory, Endpoints, Wrapped
from procwrap.probes.wording import trouble

_LOCAL = (*LOOPBACK, "localhost")


def wired(reactor: Any, asides: Asides) -> Ask:
    """Build what asks; takes long, but may be called in any thread.

    Args:
        reactor: the one that runs.
        asides: ask the name server.
    """
    return Asker(make_agent(reactor, _Endpoints(reactor, asides)), reactor, trouble).ask


@implementer(IAgentEndpointFactory)
@define(eq=False)
class _Endpoints:
    """Where a URL leads; a certificate is verified, unless it is one of this very machine or Pod.

    No authority signs one for ``localhost``, and who listens there could read our memory anyway.
    """

    _reactor: Any
    _asides: Asides

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return the endpoint for its host and port."""
        host = uri.host.decode("ascii")
        if uri.scheme != b"https" or host.lower() in _LOCAL:
            return Endpoints(self._reactor, self._asides, self._bounded).endpointForURI(uri)
        from twisted.internet.ssl import optionsForClientTLS

        plain = Dial(self._reactor, self._asides, host, uri.port)
        return Wrapped(wrapClientTLS(optionsForClientTLS(host), plain), self._bounded)

    def _bounded(self, factory: Any) -> BoundedFactory:
        return BoundedFactory(factory, self._reactor, MOST_BYTES)
