"""Part of the composition root: the way from the lock server to etcd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import define
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.web.client import URI, Agent, HTTPConnectionPool
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from procwrap.errors import CannotStartError
from procwrap.interfaces import ILeaseStore
from procwrap.lock.stores.etcd import EtcdStore
from procwrap.lock.stores.etcdclient import make_client
from procwrap.lock.stores.etcdgateway import Gateway
from procwrap.probes.aside import Asides
from procwrap.probes.dial import Dial
from procwrap.probes.wording import trouble
from procwrap.sinks.postwire import WholeBody
from procwrap.spec.lockserving import Etcd, EtcdTls

MOST_CONNECTIONS = 32
"""Connections to one member that are kept."""
IDLE_SECONDS = 30


def make_etcd_store(
    etcd: Etcd, reactor: Any, wall: Callable[[], float], new_id: Callable[[], int]
) -> ILeaseStore:
    """Build the store of a cluster.

    Raises:
        CannotStartError: a certificate or key cannot be used.
    """
    if etcd.tls is not None:
        _creator(etcd.tls, "localhost")
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = MOST_CONNECTIONS
    pool.cachedConnectionTimeout = IDLE_SECONDS
    agent = Agent.usingEndpointFactory(reactor, _Endpoints(reactor, Asides(reactor), etcd.tls), pool)
    gateway = Gateway(list(etcd.endpoints), make_client(agent, WholeBody), reactor, trouble)
    return EtcdStore(gateway, reactor, wall, new_id)


@implementer(IAgentEndpointFactory)
@define(eq=False)
class _Endpoints:
    """Where the members are."""

    _reactor: Any
    _asides: Asides
    _tls: EtcdTls | None

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """Return the endpoint for a host and port."""
        host = uri.host.decode("ascii")
        endpoint: IStreamClientEndpoint = Dial(self._reactor, self._asides, host, uri.port)
        if self._tls is not None:
            endpoint = wrapClientTLS(_creator(self._tls, host), endpoint)
        return endpoint


def _creator(tls: EtcdTls, host: str) -> Any:
    """Return what begins TLS. The files are read for each connection: whoever rotates them need not tell us.

    Raises:
        CannotStartError: one of them cannot be used.
    """
    from OpenSSL.SSL import Error
    from twisted.internet.ssl import (
        Certificate,
        PrivateCertificate,
        optionsForClientTLS,
        trustRootFromCertificates,
    )

    try:
        authority = Certificate.loadPEM(Path(tls.ca_cert).read_bytes())
        ours = PrivateCertificate.loadPEM(
            Path(tls.client_key).read_bytes() + b"\n" + Path(tls.client_cert).read_bytes()
        )
        trusted = trustRootFromCertificates([authority])
        return optionsForClientTLS(host, trustRoot=trusted, clientCertificate=ours)
    except (OSError, ValueError, Error) as error:
        why = (
            f"{error.filename}: {error.strerror}"
            if isinstance(error, OSError)
            else "not PEM, or they do not match"
        )
        files = f"{tls.ca_cert}, {tls.client_cert} and {tls.client_key}"
        raise CannotStartError(
            f"cannot use the certificates for etcd ({files}): {why}; set SHARED_LEASE_ETCD_CA_CERT,"
            " SHARED_LEASE_ETCD_CLIENT_CERT and SHARED_LEASE_ETCD_CLIENT_KEY"
        ) from None
