"""Part of the composition root: /prommerge, imported only where a process has a ``promTarget``."""

from __future__ import annotations

import gc
from typing import Any

from attrs import define
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.client import URI
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from procwrap.core.board import Board
from procwrap.probes.aside import Asides
from procwrap.probes.dial import Dial
from procwrap.probes.httpwire import Wrapped
from procwrap.probes.secrets import shown_url
from procwrap.probes.wording import trouble
from procwrap.spec.plan import Plan, Settings
from procwrap.spec.process import ProcessSpec
from procwrap.web.answers import Handler
from procwrap.web.mergelog import MergeLog
from procwrap.web.prommerge import Merging
from procwrap.web.scrape import Scraper, Source
from procwrap.web.scrapewire import make_client
from procwrap.web.slices import slices


def make_merging(plan: Plan, settings: Settings, board: Board, reactor: Any, log: MergeLog) -> Handler:
    """Return what answers /prommerge, and tells the log what it has found."""
    # The garbage collector looks at all that was imported whenever a merge has made as much again, and takes
    # 50 ms for it. None of that is ever garbage.
    gc.freeze()
    sources = (_source(process) for process in plan.processes)
    scraper = Scraper(make_client(reactor, Endpoints(reactor, Asides(reactor))), reactor, trouble)
    return Merging(
        board,
        reactor,
        {source.process: source for source in sources if source is not None},
        settings.prommerge,
        scraper,
        log,
        slices(reactor),
    ).asked


def _source(process: ProcessSpec) -> Source | None:
    target = process.prom_target
    if target is None:
        return None
    return Source(process.name, target.url, target.headers, shown_url(target.url))


@implementer(IAgentEndpointFactory)
@define(eq=False)
class Endpoints:
    """Where the URL of a target leads; its certificate is not verified, as those of http probes are not."""

    _reactor: Any
    _asides: Asides

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return the endpoint for the host and port of a URL."""
        host = uri.host.decode("ascii")
        endpoint: IStreamClientEndpoint = Dial(self._reactor, self._asides, host, uri.port)
        if uri.scheme == b"https":
            from procwrap.probes.tls import unverified

            endpoint = Wrapped(endpoint, unverified(host))
        return Wrapped(endpoint, _AbruptFactory)


class _Abrupt(ProtocolWrapper):
    """Closes a connection at once: a TLS peer might leave our goodbye unanswered."""

    transport: Any

    def loseConnection(self) -> None:
        """Close; we never have anything left to say then."""
        self.transport.abortConnection()


class _AbruptFactory(WrappingFactory):
    protocol = _Abrupt
    noisy = False
