from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from procwrap.probes.postgresbytes import Incoming, narrow

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["tcp", "unix"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two ends of a connection."""
    if request.param == "unix":
        ours, theirs = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            theirs = socket.create_connection(listener.getsockname())
            ours, _ = listener.accept()
    with ours, theirs:
        yield ours, theirs


def test_counts_what_came(pair: Pair) -> None:
    """Bytes count when they were read or, with TCP, have come; those of an earlier answer do not."""
    ours, theirs = pair
    theirs.sendall(b"x" * 100)
    ours.recv(100)
    incoming = Incoming(ours.fileno())
    for total in (1000, 2000):
        theirs.sendall(b"x" * 1000)
        ours.recv(1, socket.MSG_PEEK)
        incoming.about_to_read()
        assert len(ours.recv(5000)) == 1000
        assert incoming.count() == total


def test_the_socket_is_only_borrowed(pair: Pair) -> None:
    """Counting and narrowing close nothing."""
    ours, theirs = pair
    narrow(ours.fileno())
    Incoming(ours.fileno()).count()
    theirs.sendall(b"still here")
    assert ours.recv(100) == b"still here"
