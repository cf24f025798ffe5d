"""The settings of a lock server, from its options and the SHARED_LEASE_ variables."""

from __future__ import annotations

from collections.abc import Mapping

from procwrap.config import units
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted
from procwrap.errors import UsageError
from procwrap.spec.lockserving import DEFAULT_LONGEST, DEFAULT_SOCKET, IN_MEMORY, Etcd, EtcdTls, LockServing
from procwrap.spec.plan import Given

SOCKET = "SHARED_LEASE_SOCKET"
ENDPOINTS = "SHARED_LEASE_ETCD_ENDPOINTS"
_FILES = {
    "ca_cert": "SHARED_LEASE_ETCD_CA_CERT",
    "client_cert": "SHARED_LEASE_ETCD_CLIENT_CERT",
    "client_key": "SHARED_LEASE_ETCD_CLIENT_KEY",
}
MOST_ENDPOINTS = 20


def resolve(argv: Given, env: Given, environ: Mapping[str, str]) -> LockServing:
    """Merge what every source says.

    Raises:
        UsageError: a variable has a value that is none, or two settings exclude each other.
    """
    store = argv.lock_store or env.lock_store
    longest = argv.lock_longest_ttl or env.lock_longest_ttl
    etcd = _etcd(environ, tls=argv.lock_etcd_tls if argv.lock_etcd_tls is not None else env.lock_etcd_tls)
    if etcd is not None and (store or longest):
        given = "--shared-lock-store" if store else "--shared-lock-max-ttl"
        raise UsageError(f"{given} is of the embedded store, and {ENDPOINTS} asks for etcd: take one away")
    return LockServing(
        _socket(environ.get(SOCKET) or DEFAULT_SOCKET),
        store or IN_MEMORY,
        longest or DEFAULT_LONGEST,
        etcd,
    )


def longest_ttl(text: str) -> float:
    """Read the longest TTL that a store grants: whole milliseconds."""
    seconds = units.duration(text)
    if not 1.0 <= seconds <= 24 * 3600.0:
        raise WrongValueError(f"expected a duration from 1s to 24h, got {quoted(text)}")
    return round(seconds, 3)


def _socket(text: str) -> str:
    try:
        return units.listen_address(text)
    except WrongValueError as error:
        raise UsageError(f"{SOCKET}: {error}") from None


def _etcd(environ: Mapping[str, str], *, tls: bool | None) -> Etcd | None:
    texts = [text for text in (part.strip() for part in environ.get(ENDPOINTS, "").split(",")) if text]
    if not texts:
        if tls:
            raise UsageError(f"--shared-lock-etcd-tls needs {ENDPOINTS}, such as https://etcd:2379")
        return None
    if len(texts) > MOST_ENDPOINTS:
        raise UsageError(f"{ENDPOINTS}: {len(texts)} endpoints, expected at most {MOST_ENDPOINTS}")
    urls = tuple(_endpoint(text, tls=tls) for text in texts)
    encrypted = {url.startswith("https:") for url in urls}
    if len(encrypted) > 1:
        raise UsageError(f"{ENDPOINTS}: some begin with https:// and some do not")
    files = {name: environ[variable] for name, variable in _FILES.items() if environ.get(variable)}
    return Etcd(urls, EtcdTls(**files) if encrypted == {True} else None)


def _endpoint(text: str, *, tls: bool | None) -> str:
    # 3 ms that only those pay who have etcd.
    from procwrap.config.weburl import server_url

    scheme, slashes, _ = text.partition("://")
    if not slashes:
        text = f"{'https' if tls else 'http'}://{text}"
    elif tls and scheme == "http":
        raise UsageError(f"{ENDPOINTS}: --shared-lock-etcd-tls is on, and one begins with http://")
    try:
        url = server_url(text, "http://etcd-0:2379")
    except WrongValueError as error:
        raise UsageError(f"{ENDPOINTS}: {error}") from None
    if "@" in url:
        raise UsageError(
            f"{ENDPOINTS}: a user or password in a URL is not supported; use client certificates"
        )
    return url
