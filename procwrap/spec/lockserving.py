"""What is asked of a lock server."""

from __future__ import annotations

from attrs import frozen

DEFAULT_SOCKET = ":8191"
IN_MEMORY = ":memory:"
DEFAULT_LONGEST = 10.0


@frozen
class EtcdTls:
    """Files of PEM; with them both sides know whom they speak to."""

    ca_cert: str = "/cert/tls/ca.crt"
    client_cert: str = "/cert/tls/tls.crt"
    client_key: str = "/cert/tls/tls.key"


@frozen
class Etcd:
    """An etcd cluster.

    Attributes:
        endpoints: URLs of its members, without a path.
        tls: None without TLS.
    """

    endpoints: tuple[str, ...]
    tls: EtcdTls | None = None


@frozen
class LockServing:
    """All of it.

    Attributes:
        socket: where it is served.
        store: path of the file of the embedded store, or ``:memory:``.
        longest_ttl: seconds; the embedded store never grants more.
        etcd: keeps the leases, in the place of the embedded store.
    """

    socket: str = DEFAULT_SOCKET
    store: str = IN_MEMORY
    longest_ttl: float = DEFAULT_LONGEST
    etcd: Etcd | None = None
