"""TLS for https probes. Imported only when there is such a probe: pyOpenSSL takes 80 ms and 12 MB."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from attrs import frozen
from OpenSSL import SSL
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IProtocolFactory
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer


def unverified(host: str) -> Callable[[IProtocolFactory], IProtocolFactory]:
    """Return what puts TLS under a protocol factory.

    The certificate is not verified, as the kubelet's probes do not: a health check asks whether its own
    process answers, mostly by an address or with a certificate that no authority has signed.
    """
    return lambda factory: _quiet(TLSMemoryBIOFactory(_Creator(host), isClient=True, wrappedFactory=factory))


def _quiet(factory: Any) -> Any:
    factory.noisy = False
    return factory


@cache
def _context() -> SSL.Context:
    # One for all: making a context takes longer than many a handshake.
    return CertificateOptions(verify=False).getContext()


@implementer(IOpenSSLClientConnectionCreator)
@frozen(eq=False)
class _Creator:
    """Begins a TLS connection that names the host it wants to speak to, unless that is an address."""

    _host: str

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Called once a connection."""
        connection = SSL.Connection(_context(), None)
        if not (isIPAddress(self._host) or isIPv6Address(self._host)):
            connection.set_tlsext_host_name(self._host.encode("ascii"))
        return connection
