"""A certificate authority for tests with TLS."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PEM = serialization.Encoding.PEM


class Authority:
    """Signs what it is asked to, for a day.

    Args:
        directory: where its files go.
        name: what it calls itself.

    Attributes:
        file: its own certificate.
    """

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        ours = _builder(self._name, self._name, self._key, days=1)
        ours = ours.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(ours.sign(self._key, hashes.SHA256()).public_bytes(PEM))

    def issue(
        self, name: str, hosts: Sequence[str] = (), *, days: int = 1, password: str = ""
    ) -> tuple[Path, Path]:
        """Sign a certificate; return its file and that of its key.

        Args:
            name: its common name.
            hosts: host names and addresses it is for.
            days: how long it is valid from now on; negative for one that has expired.
            password: what its key is encrypted with.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        made = _builder(_name(name), self._name, key, days)
        if hosts:
            made = made.add_extension(x509.SubjectAlternativeName(map(_host, hosts)), critical=False)
        certificate_file, key_file = (self._directory / f"{name}.{kind}" for kind in ("crt", "key"))
        certificate_file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(PEM))
        secret = serialization.BestAvailableEncryption(password.encode()) if password else None
        locked = secret or serialization.NoEncryption()
        key_file.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, locked))
        return certificate_file, key_file


def _builder(subject: x509.Name, issuer: x509.Name, key: Any, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    begin = now - datetime.timedelta(10)
    return x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), begin, now + datetime.timedelta(days)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
