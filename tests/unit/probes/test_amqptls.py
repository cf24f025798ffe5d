"""The files that amqps probes need, and what is told when they are not as they should be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from OpenSSL import SSL

from procwrap.dsn.amqp import parse
from procwrap.dsn.problem import DsnError
from procwrap.probes.amqptls import LARGEST, Securing, wrapped
from tests.support.certificates import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority whose certificates are in files."""
    return Authority(tmp_path)


def securing(**parameters: object) -> Securing:
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    return Securing(parse(f"amqps://app:hunter2@localhost?{query}"))


def problem(**parameters: object) -> str:
    """What is told of a file."""
    with pytest.raises(DsnError) as raised:
        securing(**parameters).creator()
    assert "sesame" not in str(raised.value)
    return str(raised.value)


def test_files_are_read_once(authority: Authority) -> None:
    """Files are read again only when they have changed, as when a certificate was renewed."""
    certificate, key = authority.issue("app")
    made = securing(cacertfile=authority.file, certfile=certificate, keyfile=key)
    first = made.creator()
    assert made.creator() is first
    os.utime(certificate, (1, 1))
    renewed = made.creator()
    assert renewed is not first
    assert made.creator() is renewed


def test_without_files() -> None:
    """The system's authorities need no file to be named, and no verification none at all."""
    assert securing().creator() is not None
    assert securing(verify="verify_none").creator() is not None


def test_key_may_be_encrypted_or_in_the_same_file(authority: Authority, tmp_path: Path) -> None:
    """The key may be in certfile, behind the certificate, and encrypted."""
    certificate, key = authority.issue("app", password="sesame")
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + authority.file.read_bytes() + key.read_bytes())
    assert securing(certfile=both, password="sesame", verify="verify_none").creator() is not None
    for password in ({}, {"password": "sesame2"}):
        said = problem(certfile=both, **password)
        assert said.startswith(f"certfile {both} does not hold the key of certfile in PEM, or password")


def test_missing() -> None:
    """A file that cannot be read is named with its parameter and the system's words."""
    said = problem(cacertfile="/no/ca.pem")
    assert said == "cacertfile /no/ca.pem cannot be read: no such file or directory"
    assert problem(certfile="/proc") == "certfile /proc cannot be read: is a directory"


def test_wrong_content(authority: Authority, tmp_path: Path) -> None:
    """A file without what it should hold is named."""
    certificate, key = authority.issue("app")
    other, _ = authority.issue("other")
    broken = tmp_path / "broken"
    broken.write_text("-----BEGIN CERTIFICATE-----\nxyz\n-----END CERTIFICATE-----\n")
    for path in (key, broken):
        assert problem(cacertfile=path) == f"cacertfile {path} does not hold certificates in PEM"
    assert "does not hold the key of certfile" in problem(certfile=other, keyfile=key)
    assert "does not hold the key of certfile" in problem(certfile=certificate, keyfile=broken)


def test_endless_file() -> None:
    """A file without end is not read to its end."""
    assert problem(cacertfile="/dev/zero") == f"cacertfile /dev/zero is larger than {LARGEST} bytes"


@pytest.mark.parametrize(("host", "sent"), [("localhost", b"localhost"), ("127.0.0.1", None), ("::1", None)])
def test_server_name(host: str, sent: bytes | None) -> None:
    """The broker is told the host's name, but no address, unless another name is given."""
    where = f"[{host}]" if ":" in host else host
    creator = Securing(parse(f"amqps://{where}?verify=verify_none")).creator()
    assert creator.clientConnectionForTLS(None).get_servername() == sent
    named = Securing(parse(f"amqps://{where}?verify=verify_none&server_name_indication=mq.example")).creator()
    connection = named.clientConnectionForTLS(None)
    assert isinstance(connection, SSL.Connection)
    assert connection.get_servername() == b"mq.example"


def test_wrapped_is_quiet() -> None:
    """Connections over TLS begin and end without a word in the log."""
    from twisted.internet.protocol import Factory
    from twisted.internet.task import Clock

    assert not wrapped(securing().creator(), Factory(), Clock()).noisy
