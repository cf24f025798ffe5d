from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from procwrap.probes.mysqlline import Line, Place
from tests.support.hosted import free_port
from tests.support.peers import full_listener


def at(port: int, host: str = "127.0.0.1") -> Place:
    return socket.AF_INET, (host, port)


def test_connects_to_whoever_answers() -> None:
    """The first place that answers is taken; the socket blocks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line, good = Line(), at(listener.getsockname()[1])
        made, place = line.connect([at(free_port()), good])
        assert (place, made.getblocking(), made.getpeername()) == (good, True, good[1])
        made.close()
        line.close()


def test_the_first_trouble_is_told() -> None:
    """When nobody answers it is the trouble with the first address that counts."""
    line = Line()
    with pytest.raises(ConnectionRefusedError):
        line.connect([at(free_port()), (socket.AF_UNIX, "/no/such.sock")])
    with pytest.raises(OSError, match="no address"):
        line.connect([])


def test_full_unix_socket(tmp_path: Path) -> None:
    """A Unix socket whose queue is full is told at once: nothing could be waited for."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen(0)
        place = socket.AF_UNIX, str(tmp_path / "s")
        waiting, turned_away = Line(), Line()
        made, _ = waiting.connect([place])
        with pytest.raises(BlockingIOError, match="its queue of connections is full"):
            turned_away.connect([place])
        made.close()
        waiting.close()


def test_cut_while_connecting() -> None:
    """Whoever waits for a place that never answers is freed by the cut, and connects no more."""
    port, sockets = full_listener()
    line, raised = Line(), list[OSError]()

    def connect() -> None:
        try:
            line.connect([at(port)])
        except OSError as error:
            raised.append(error)

    thread = threading.Thread(target=connect)
    thread.start()
    while line._end is None:
        time.sleep(0.001)
    line.cut()
    thread.join(5)
    assert raised
    for each in sockets:
        each.close()
    with pytest.raises(ConnectionAbortedError):
        line.connect([at(port)])


def test_cut_while_reading() -> None:
    """Whoever waits for the server hears the end of the connection; so does the server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Line()
        made, _ = line.connect([at(listener.getsockname()[1])])
        server, _ = listener.accept()
        threading.Timer(0.01, line.cut).start()
        assert made.recv(1) == b""
        assert server.recv(1) == b""
        made.close()
        line.close()
        line.cut()
        server.close()


def test_cut_does_not_hit_others() -> None:
    """A descriptor that the user has closed, and that is somebody else's now, is not touched."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Line()
        made, _ = line.connect([at(listener.getsockname()[1])])
        number = made.fileno()
        made.close()
        ours, theirs = socket.socketpair()
        assert number in (ours.fileno(), theirs.fileno())
        line.cut()
        line.close()
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"
        ours.close()
        theirs.close()
