"""TLS to the API server: who it must be. Imported only with pyOpenSSL."""

from __future__ import annotations

import re
from typing import Any

from attrs import define
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

from procwrap.pod.credentials import ServiceAccount
from procwrap.pod.problem import ApiError

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@define(eq=False)
class Trust:
    """Trusts the cluster's own authorities and nobody else, also after they were replaced.

    Args:
        account: knows the certificates of the authorities.
        host: the name or address that the API server's certificate has to be for.
    """

    _account: ServiceAccount
    _host: str
    _authorities: bytes = b""
    _creator: Any = None

    def creator(self) -> Any:
        """Return what begins a TLS connection.

        Raises:
            ApiError: there are no certificates of authorities.
        """
        authorities = self._account.authorities()
        if self._creator is None or authorities != self._authorities:
            self._creator = self._trusting(authorities)
            self._authorities = authorities
        return self._creator

    def _trusting(self, authorities: bytes) -> Any:
        try:
            found = [Certificate.loadPEM(block) for block in _BLOCK.findall(authorities)]
        except Exception:
            # What OpenSSL raises differs from version to version.
            found = []
        if not found:
            raise ApiError("ca.crt of the Pod's service account holds no certificates", refused=True)
        return optionsForClientTLS(self._host, trustRoot=trustRootFromCertificates(found))
