"""TLS for amqps probes: verified, with the authorities and certificates named in the URI.

Imported in a thread when the first amqps URI is met: pyOpenSSL takes 60 ms, which neither the first child nor
the reactor should wait for.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

if sys.modules.get("OpenSSL", sys) is None:
    # Hidden by procwrap.tls while the reactor was imported, which works as well without it.
    del sys.modules["OpenSSL"]

from attrs import define, field, frozen
from OpenSSL import SSL, crypto
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IProtocolFactory
from twisted.internet.ssl import (
    Certificate,
    CertificateOptions,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from procwrap.dsn.amqp import AmqpDsn
from procwrap.dsn.amqpoptions import Options
from procwrap.dsn.problem import DsnError

LARGEST = 1024 * 1024
"""Bytes of a file of certificates; Debian's bundle of all authorities has a fifth of that."""

Signature = tuple[tuple[str, int, int, int], ...]

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@define(eq=False)
class Securing:
    """Makes TLS for one broker; reads the files again only when they have changed."""

    _dsn: AmqpDsn
    _read: Signature | None = None
    _creator: Any = field(default=None, repr=False)

    def creator(self) -> Any:
        """Return what begins TLS connections; blocks.

        Raises:
            DsnError: a file cannot be read, or does not hold what it should.
        """
        options = self._dsn.options
        named = (
            ("cacertfile", options.ca_file),
            ("certfile", options.certificate_file),
            ("keyfile", options.key_file),
        )
        signature = tuple(_signature(name, path) for name, path in named if path is not None)
        if self._creator is None or signature != self._read:
            self._creator = _creator(options, options.server_name or self._dsn.host)
            self._read = signature
        return self._creator


def wrapped(creator: Any, factory: IProtocolFactory, clock: Any) -> Any:
    """Put TLS under a protocol factory."""
    made: Any = TLSMemoryBIOFactory(creator, True, factory, clock)
    made.noisy = False
    return made


def _signature(name: str, path: str) -> tuple[str, int, int, int]:
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:
        raise _unreadable(name, path, error) from None
    return path, found.st_ino, found.st_size, found.st_mtime_ns


def _creator(options: Options, name: str) -> Any:
    ours = _our_certificate(options)
    if not options.verify:
        return _Unverified(CertificateOptions(verify=False, **ours).getContext(), name)
    trust = platformTrust()
    if options.ca_file is not None:
        blocks = _certificates("cacertfile", options.ca_file)
        trust = trustRootFromCertificates([Certificate(block) for block in blocks])
    return optionsForClientTLS(name, trust, extraCertificateOptions=ours)


def _our_certificate(options: Options) -> dict[str, Any]:
    """Read what we show to the broker, as arguments of CertificateOptions."""
    if options.certificate_file is None:
        return {}
    found = _certificates("certfile", options.certificate_file)
    # pyOpenSSL itself wants no objects of its own any more.
    certificate, *chain = (each.to_cryptography() for each in found)
    key_name, key_file = "keyfile", options.key_file
    if key_file is None:
        key_name, key_file = "certfile", options.certificate_file
    # Without a password OpenSSL would ask for one on the terminal.
    password = (options.key_password or "").encode()
    content = _content(key_name, key_file)
    key: Any
    try:
        key = crypto.load_privatekey(crypto.FILETYPE_PEM, content, password).to_cryptography_key()
        trial = SSL.Context(SSL.TLS_METHOD)
        trial.use_certificate(certificate)
        trial.use_privatekey(key)
        trial.check_privatekey()
    except (crypto.Error, SSL.Error, ValueError, TypeError):
        raise DsnError(
            f"{key_name} {key_file} does not hold the key of certfile in PEM, or password does not open it"
        ) from None
    return {"certificate": certificate, "privateKey": key, "extraCertChain": chain}


def _certificates(name: str, path: str) -> list[Any]:
    blocks = _CERTIFICATE.findall(_content(name, path))
    try:
        found = [crypto.load_certificate(crypto.FILETYPE_PEM, block) for block in blocks]
    except (crypto.Error, ValueError):
        found = []
    if not found:
        raise DsnError(f"{name} {path} does not hold certificates in PEM")
    return found


def _content(name: str, path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(name, path, error) from None
    if len(content) > LARGEST:
        raise DsnError(f"{name} {path} is larger than {LARGEST} bytes")
    return content


def _unreadable(name: str, path: str, error: Exception) -> DsnError:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return DsnError(f"{name} {path} cannot be read: {said.lower()}")


@implementer(IOpenSSLClientConnectionCreator)
@frozen(eq=False)
class _Unverified:
    """Begins TLS connections to whoever answers."""

    _context: SSL.Context
    _name: str

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Called once a connection."""
        connection = SSL.Connection(self._context, None)
        if not (isIPAddress(self._name) or isIPv6Address(self._name)):
            connection.set_tlsext_host_name(self._name.encode("idna"))
        return connection
