"""Peers for probes on real sockets: good ones, silent ones, rude ones."""

from __future__ import annotations

import datetime
import socket
from pathlib import Path
from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.protocol import Factory, Protocol

reactor: Any = the_reactor
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Answering(Protocol):
    """Says something when spoken to (or at once), and then hangs up or does not."""

    def connectionMade(self) -> None:
        """Count, and hang up if that is what this peer does."""
        self.factory.connections += 1
        self.factory.open.add(self)
        if self.factory.says is None:
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        """Answer."""
        self.factory.heard += data
        self.transport.write(self.factory.says)
        if self.factory.hangs_up:
            self.transport.loseConnection()

    def connectionLost(self, reason: object = None) -> None:
        """Forget."""
        self.factory.open.discard(self)


class Peer(Factory):
    """A server on a free port of 127.0.0.1.

    Args:
        says: the answer to whatever it hears; None hangs up as soon as it has accepted.
        hangs_up: whether it closes after the answer.
        tls: a context factory for TLS.
    """

    protocol = Answering
    noisy = False

    def __init__(self, says: bytes | None, *, hangs_up: bool = False, tls: Any = None) -> None:
        self.says, self.hangs_up = says, hangs_up
        self.connections, self.heard, self.open = 0, b"", set[Answering]()
        listen = reactor.listenTCP if tls is None else reactor.listenSSL
        self.listening = listen(0, self, *(() if tls is None else (tls,)), interface="127.0.0.1")
        self.port: int = self.listening.getHost().port

    def stop(self) -> Any:
        """Stop listening and leave everybody."""
        for connection in tuple(self.open):
            connection.transport.abortConnection()
        return self.listening.stopListening()


def full_listener() -> tuple[int, list[socket.socket]]:
    """A port whose queue is full: connections to it hang. Close the sockets at the end."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    sockets = [listener]
    for _ in range(4):
        waiting = socket.socket()
        waiting.setblocking(False)
        waiting.connect_ex(listener.getsockname())
        sockets.append(waiting)
    return listener.getsockname()[1], sockets


def self_signed(directory: Path) -> tuple[Path, Path]:
    """Write a certificate that no authority has signed, for a name that is not asked for; and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "some.other.host")])
    now = datetime.datetime(2020, 1, 1)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(1))
    certificate = made.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    cert_file, key_file = directory / "cert.pem", directory / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(pem))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_file.write_bytes(key.private_bytes(pem, *plain))
    return cert_file, key_file
