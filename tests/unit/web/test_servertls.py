"""Keys and certificates that are good, and those that are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from procwrap.errors import CannotStartError, UsageError
from procwrap.spec.control import ServerTls
from procwrap.web.early import open_early
from procwrap.web.servertls import check, context_factory
from tests.support.certificates import Authority


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files of every kind, by name."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    certificate, key = authority.issue("server", ["127.0.0.1"])
    _, other = authority.issue("other")
    _, locked = authority.issue("locked", password="Zx9-very-secret")
    chain = folder / "chain.pem"
    chain.write_bytes(certificate.read_bytes() + authority.file.read_bytes())
    nonsense = folder / "nonsense"
    nonsense.write_text("nonsense")
    found = {"cert": certificate, "key": key, "other": other, "locked": locked, "chain": chain}
    found |= {"nonsense": nonsense, "gone": folder / "gone", "folder": folder}
    return {name: str(path) for name, path in found.items()}


@pytest.mark.parametrize("cert", ["cert", "chain"])
def test_good_ones(files: dict[str, str], cert: str) -> None:
    """A key and its certificate, alone or with the authority's."""
    tls = ServerTls(files["key"], files[cert])
    check(tls)
    options = context_factory(tls)
    assert len(options.extraCertChain) == (cert == "chain")


@pytest.mark.parametrize(
    ("key", "cert", "message"),
    [
        ("gone", "cert", "api.tls: cannot read the key {gone}: no such file or directory"),
        ("key", "gone", "api.tls: cannot read the certificate {gone}: no such file or directory"),
        ("folder", "cert", "api.tls: cannot read the key {folder}: is a directory"),
        ("other", "cert", "api.tls: the key {other} is not that of the certificate {cert}"),
        ("key", "nonsense", "api.tls: {nonsense} holds no certificate in PEM"),
        ("nonsense", "cert", "api.tls: {nonsense} holds no private key in PEM that needs no passphrase"),
        ("locked", "cert", "api.tls: {locked} holds no private key in PEM that needs no passphrase"),
        ("cert", "key", "api.tls: {key} holds no certificate in PEM"),
    ],
)
def test_bad_ones(files: dict[str, str], key: str, cert: str, message: str) -> None:
    """One line names the file that is to blame."""
    with pytest.raises(CannotStartError) as caught:
        open_early("127.0.0.1:0", ServerTls(files[key], files[cert]))
    assert str(caught.value) == message.format(**files)


@pytest.mark.parametrize("where", ["unix:/tmp/x", "ssl:8443:privateKey=a", "tcp:80"])
def test_no_address_for_tls(files: dict[str, str], where: str) -> None:
    """Only a port can be served through TLS."""
    with pytest.raises(UsageError, match=r"api\.tls needs an address such as :8443"):
        open_early(where, ServerTls(files["key"], files["cert"]))


def test_nothing_stays_open(files: dict[str, str], tmp_path: Path) -> None:
    """Looking at the files leaves no descriptor behind."""
    before = len(os.listdir("/proc/self/fd"))
    context_factory(ServerTls(files["key"], files["chain"]))
    assert len(os.listdir("/proc/self/fd")) == before
