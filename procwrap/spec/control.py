"""How procwrap is controlled from outside."""

from __future__ import annotations

from attrs import field, frozen

from procwrap.spec.probe import SECRET


@frozen
class ServerTls:
    """The files with the private key and the certificate (chain) that HTTP is served with, in PEM."""

    key: str
    cert: str


@frozen
class Control:
    """Who may control procwrap, and how they reach it.

    Attributes:
        token: the bearer token; None where only the control socket admits.
        token_file: a file that holds it, read again when it changes; it wins over ``token``.
        socket: path of the unix socket through which its owner needs no token; None is no such socket.
        socket_required: without this socket procwrap cannot do its work, since somebody asked for it.
        tls: HTTP is served through TLS with these.
    """

    token: str | None = field(default=None, metadata=SECRET, repr=False)
    token_file: str | None = None
    socket: str | None = None
    socket_required: bool = False
    tls: ServerTls | None = None
