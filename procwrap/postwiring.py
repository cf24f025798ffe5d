"""Part of the composition root: an HTTP client that verifies whom it speaks to, imported aside."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from attrs import define
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web.client import URI
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from procwrap.config.weburl import without_login
from procwrap.core.weblogin import basic_login
from procwrap.probes.aside import Asides
from procwrap.probes.dial import Dial
from procwrap.probes.wording import trouble
from procwrap.sinks.post import Post
from procwrap.sinks.postwire import Poster, make_agent


def wired(url: str, reactor: Any, asides: Asides) -> Post:
    """Build what posts to a URL; takes long, but may be called in any thread.

    Args:
        url: may hold user and password.
        reactor: the one that runs.
        asides: ask the name server.
    """
    parts = urlsplit(url)
    login = basic_login(parts)
    headers = {} if login is None else {"authorization": login}
    tls = _verifying(parts.hostname or "") if parts.scheme == "https" else None
    agent = make_agent(reactor, _Endpoints(reactor, asides, tls))
    return Poster(without_login(url).encode("ascii"), headers, agent, reactor, trouble).post


def _verifying(host: str) -> Any:
    """Return what begins a TLS connection to a host that an authority of this system vouches for."""
    from twisted.internet.ssl import optionsForClientTLS

    return optionsForClientTLS(host)


@implementer(IAgentEndpointFactory)
@define(eq=False)
class _Endpoints:
    """Where the URL leads."""

    _reactor: Any
    _asides: Asides
    _tls: Any

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return the endpoint for its host and port."""
        endpoint: IStreamClientEndpoint = Dial(
            self._reactor, self._asides, uri.host.decode("ascii"), uri.port
        )
        if self._tls is not None:
            endpoint = wrapClientTLS(self._tls, endpoint)
        return endpoint
