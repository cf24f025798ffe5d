"""The settings of a lock server."""

from __future__ import annotations

import pytest

from procwrap.config.arguments import parse
from procwrap.config.environment import parse as from_environment
from procwrap.config.lockserving import resolve
from procwrap.errors import UsageError
from procwrap.spec.lockserving import Etcd, EtcdTls, LockServing


def asked(*argv: str, **environ: str) -> LockServing:
    """What is asked for with these options and SHARED_LEASE_ variables."""
    named = {f"SHARED_LEASE_{name}": value for name, value in environ.items()}
    return resolve(parse(["--shared-lock", *argv]).given, from_environment(named), named)


def test_nothing_said() -> None:
    """In memory, on port 8191."""
    assert asked() == LockServing(":8191", ":memory:", 10.0, None)


def test_the_embedded_store() -> None:
    """A file and the longest TTL."""
    found = asked("--shared-lock-store", "/data/leases", "--shared-lock-max-ttl=1m", SOCKET="[::1]:80")
    assert found == LockServing("[::1]:80", "/data/leases", 60.0, None)


@pytest.mark.parametrize(
    ("argv", "endpoints", "urls"),
    [
        ((), "a:1, http://b:2,", ("http://a:1", "http://b:2")),
        (("--shared-lock-etcd-tls",), "a:1,https://b:2/", ("https://a:1", "https://b:2")),
        ((), "https://[::1]:2379", ("https://[::1]:2379",)),
    ],
)
def test_etcd(argv: tuple[str, ...], endpoints: str, urls: tuple[str, ...]) -> None:
    """Endpoints with or without a scheme; https brings the certificates."""
    tls = EtcdTls() if urls[0].startswith("https") else None
    assert asked(*argv, ETCD_ENDPOINTS=endpoints).etcd == Etcd(urls, tls)


def test_certificates() -> None:
    """Each file has its variable."""
    files = {"ETCD_CA_CERT": "ca", "ETCD_CLIENT_CERT": "cert", "ETCD_CLIENT_KEY": "key"}
    found = asked(ETCD_ENDPOINTS="https://a:1", **files).etcd
    assert found is not None
    assert found.tls == EtcdTls("ca", "cert", "key")


@pytest.mark.parametrize(
    ("argv", "environ", "said"),
    [
        ((), {"SOCKET": "8191"}, "SHARED_LEASE_SOCKET: expected"),
        (("--shared-lock-etcd-tls",), {}, "--shared-lock-etcd-tls needs SHARED_LEASE_ETCD_ENDPOINTS"),
        (("--shared-lock-etcd-tls",), {"ETCD_ENDPOINTS": "http://a:1"}, "one begins with http://"),
        ((), {"ETCD_ENDPOINTS": "http://a:1,https://b:1"}, "some begin with https:// and some do not"),
        ((), {"ETCD_ENDPOINTS": "ftp://a"}, "SHARED_LEASE_ETCD_ENDPOINTS: expected a URL"),
        ((), {"ETCD_ENDPOINTS": "http://u:secret@a:1"}, "use client certificates"),
        ((), {"ETCD_ENDPOINTS": ",".join(["a:1"] * 21)}, "21 endpoints, expected at most 20"),
        (
            ("--shared-lock-store=x",),
            {"ETCD_ENDPOINTS": "a:1"},
            "--shared-lock-store is of the embedded store",
        ),
        (
            ("--shared-lock-max-ttl=5s",),
            {"ETCD_ENDPOINTS": "a:1"},
            "--shared-lock-max-ttl is of the embedded",
        ),
        (("--shared-lock-max-ttl=10ms",), {}, "expected a duration from 1s to 24h"),
    ],
)
def test_what_cannot_be(argv: tuple[str, ...], environ: dict[str, str], said: str) -> None:
    """One line names the setting, and never shows a password."""
    with pytest.raises(UsageError) as caught:
        asked(*argv, **environ)
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)
