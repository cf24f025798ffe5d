from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from procwrap.client.connect import connect
from procwrap.client.target import Target, Tls
from procwrap.errors import NoHostError
from tests.support.rawserver import RawServer, http, saying


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a folder with a short path."""
    with tempfile.TemporaryDirectory(prefix="pw") as name:
        yield Path(name)


def refused(target: Target) -> NoHostError:
    """Return why nobody could be reached."""
    with pytest.raises(NoHostError) as caught:
        connect(target, 0.2).close()
    return caught.value


def test_no_socket(home: Path) -> None:
    """It says where it looked, and what to do."""
    found = refused(Target("/run/x.sock", str(home / "s")))
    assert str(found) == (
        "no procwrap at /run/x.sock: no such file; is it running in this container? --url for another"
    )
    assert found.gone


def test_a_socket_that_nobody_listens_on(home: Path) -> None:
    """Procwrap has ended without taking it away."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(home / "s"))
    found = refused(Target("s", str(home / "s")))
    assert str(found) == "no procwrap at s: connection refused; it has ended, or has not begun"
    assert found.gone


def test_a_file_that_is_no_socket(home: Path) -> None:
    """Nor is a folder."""
    (home / "s").touch()
    assert "connection refused" in str(refused(Target("s", str(home / "s"))))
    assert "no procwrap at s: " in str(refused(Target("s", str(home))))
    assert "no such file" in str(refused(Target("s", str(home / "s" / "s"))))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every socket")
def test_a_socket_of_somebody_else(home: Path) -> None:
    """It says who may use it."""
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(home / "s"))
        (home / "s").chmod(0)
        assert "permission denied; only the user that runs procwrap" in str(
            refused(Target("s", str(home / "s")))
        )


def test_a_port_that_nobody_listens_on() -> None:
    """It asks whether it is the right one."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        target = Target("http://h", None, "127.0.0.1", bound.getsockname()[1])
        assert str(refused(target)) == "no procwrap at http://h: connection refused; is it the right port?"


def test_a_socket_whose_queue_is_full(home: Path) -> None:
    """A host that accepts nobody does not hold us up."""
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(home / "s"))
        busy.listen(0)
        target = Target("s", str(home / "s"))
        first = connect(target, 0.2)
        assert str(refused(target)) == "no procwrap at s: no connection within 0.2s"
        first.close()


def test_no_tls_there() -> None:
    """It asks whether it is http://."""
    with RawServer(saying(b"HTTP/1.1 400 Bad\r\n\r\n"), port=True) as server:
        target = Target("https://h", None, "127.0.0.1", server.port, "", Tls(None, False))
        server.script = saying(b"")
        why = str(refused(target))
    assert why.startswith("no TLS with https://h: ")
    assert why.endswith("; is it http:// there?")


def test_a_file_of_authorities_that_is_none(home: Path) -> None:
    """It is named."""
    (home / "ca.pem").write_text("nothing")
    with RawServer(saying(http(200, b"{}")), port=True) as server:
        for name in ("ca.pem", "missing.pem"):
            target = Target("https://h", None, "127.0.0.1", server.port, "", Tls(str(home / name)))
            assert f"cannot use the certificates of {home / name}: " in str(refused(target))


def test_no_name_server_knows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is repeated, for it is probably wrong."""

    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", unknown)
    why = str(refused(Target("http://x", None, "x", 80)))
    assert why == "no procwrap at http://x: Name or service not known: is x the right name?"
