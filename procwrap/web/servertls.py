"""The key and certificate that HTTP is served with, where the config names them (``api.tls``)."""

from __future__ import annotations

import re
from typing import Any

from procwrap.errors import CannotStartError
from procwrap.spec.control import ServerTls

_PEM = 1
"""``FILETYPE_PEM`` of OpenSSL."""
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def check(tls: ServerTls) -> None:
    """Find out whether we can serve with these; it takes 10 ms, and neither Twisted nor pyOpenSSL.

    Raises:
        CannotStartError: we cannot, and which of the files is to blame.
    """
    import ssl  # not needed by those who serve without

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for what, path in (("key", tls.key), ("certificate", tls.cert)):
        try:
            with open(path, "rb"):
                pass
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise CannotStartError(f"api.tls: cannot read the {what} {path}: {why}") from None
    try:
        context.load_verify_locations(tls.cert)
    except ssl.SSLError:
        raise CannotStartError(f"api.tls: {tls.cert} holds no certificate in PEM") from None
    try:
        # Without the password OpenSSL would ask for one on the terminal.
        context.load_cert_chain(tls.cert, tls.key, password="")
    except ssl.SSLError as error:
        raise CannotStartError(f"api.tls: {_blame(tls, error.reason)}") from None


def _blame(tls: ServerTls, reason: str | None) -> str:
    if reason == "KEY_VALUES_MISMATCH":
        return f"the key {tls.key} is not that of the certificate {tls.cert}"
    if reason in ("CA_MD_TOO_WEAK", "EE_KEY_TOO_SMALL"):
        return f"the certificate {tls.cert} is too weak"
    return f"{tls.key} holds no private key in PEM that needs no passphrase"


def context_factory(tls: ServerTls) -> Any:
    """Return what makes the contexts of connections: TLS 1.2 or later, with the whole chain of certificates.

    Raises:
        CannotStartError: a file is to blame.
    """
    check(tls)
    from twisted.internet.ssl import Certificate, CertificateOptions, KeyPair, TLSVersion

    with open(tls.key, "rb") as file:
        key = KeyPair.load(file.read(), _PEM)
    with open(tls.cert, "rb") as file:
        certificates = [Certificate.loadPEM(block).original for block in _CERTIFICATE.findall(file.read())]
    return CertificateOptions(
        privateKey=key.original,
        certificate=certificates[0],
        extraCertChain=certificates[1:],
        raiseMinimumTo=TLSVersion.TLSv1_2,
    )
