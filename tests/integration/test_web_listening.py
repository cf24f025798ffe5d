"""Sockets that are really bound, by a reactor that is really one but not the global one."""

from __future__ import annotations

import gc
import os
import re
import socket
import stat
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.pollreactor import PollReactor
from twisted.internet.protocol import Factory, Protocol

from procwrap.errors import CannotStartError, UsageError
from procwrap.web.early import open_early
from procwrap.web.listening import Bound, bind

pytestmark = pytest.mark.integration

Binder = Callable[[str], Bound]


class Greeter(Protocol):
    """Says hello and closes."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"hello")
        self.transport.loseConnection()


GREETERS = Factory.forProtocol(Greeter)
GREETERS.noisy = False


@pytest.fixture
def reactor() -> Iterator[Any]:
    """A reactor that is turned by hand."""
    turned = PollReactor()
    turned.startRunning(installSignalHandlers=False)
    yield turned
    turned.stop()
    for _ in range(3):
        turned.iterate(0)


@pytest.fixture
def listen(reactor: Any) -> Iterator[Binder]:
    """Binds sockets that are stopped after the test."""
    bounds: list[Bound] = []

    def binder(where: str) -> Bound:
        bounds.append(bind(where, reactor))
        return bounds[-1]

    yield binder
    for bound in bounds:
        stop(reactor, bound)


def turn(reactor: Any, until: Callable[[], object]) -> None:
    """Turn the reactor until something is so."""
    for _ in range(500):
        if until():
            return
        reactor.iterate(0.01)
    pytest.fail("it never was so")


def stop(reactor: Any, bound: Bound) -> None:
    """Stop listening, and wait for it."""
    ended: list[object] = []
    bound.stop().addBoth(ended.append)
    turn(reactor, lambda: ended)
    assert ended == [None]


def port_of(bound: Bound) -> int:
    """Return the port the kernel chose."""
    return bound.host.port  # type: ignore[attr-defined,no-any-return]


def greeted(reactor: Any, caller: socket.socket) -> None:
    """Wait for hello."""
    caller.setblocking(False)
    heard = bytearray()

    def listens() -> bool:
        try:
            heard.extend(caller.recv(100))
        except BlockingIOError:
            return False
        return bytes(heard) == b"hello"

    turn(reactor, listens)
    caller.close()


def test_connections_wait_until_we_serve(reactor: Any, listen: Binder) -> None:
    """Clients can connect as soon as the socket is bound, and are answered once we serve."""
    bound = listen("127.0.0.1:0")
    callers = [socket.create_connection(("127.0.0.1", port_of(bound))) for _ in range(20)]
    for _ in range(5):
        reactor.iterate(0.01)
    for caller in callers:
        with pytest.raises(BlockingIOError):
            caller.recv(1, socket.MSG_DONTWAIT)
    bound.serve(GREETERS)
    for caller in callers:
        greeted(reactor, caller)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_all_interfaces(reactor: Any, listen: Binder, host: str) -> None:
    """``:port`` is reached by IPv4 and by IPv6."""
    bound = listen(":0")
    bound.serve(GREETERS)
    greeted(reactor, socket.create_connection((host, port_of(bound))))


def test_one_ipv6_address(reactor: Any, listen: Binder) -> None:
    """``[::1]:port`` is that address alone."""
    bound = listen("[::1]:0")
    bound.serve(GREETERS)
    greeted(reactor, socket.create_connection(("::1", port_of(bound))))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port_of(bound)))


def test_a_name(reactor: Any, listen: Binder) -> None:
    """A name that has an IPv4 address is bound there."""
    bound = listen("localhost:0")
    bound.serve(GREETERS)
    greeted(reactor, socket.create_connection(("127.0.0.1", port_of(bound))))


def test_an_endpoint_description(reactor: Any, listen: Binder) -> None:
    """What Twisted's endpoints can listen on, we can."""
    bound = listen("tcp:0:interface=127.0.0.1")
    caller = socket.create_connection(("127.0.0.1", port_of(bound)))
    bound.serve(GREETERS)
    greeted(reactor, caller)


def test_without_ipv6(monkeypatch: pytest.MonkeyPatch, reactor: Any, listen: Binder) -> None:
    """A kernel without IPv6 serves all interfaces by IPv4."""
    real = socket.socket

    def without(family: int = -1, *rest: Any, **more: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, *rest, **more)

    monkeypatch.setattr("procwrap.web.sockets.socket.socket", without)
    bound = listen(":0")
    monkeypatch.undo()
    bound.serve(GREETERS)
    greeted(reactor, socket.create_connection(("127.0.0.1", port_of(bound))))


@pytest.mark.parametrize("where", ["127.0.0.1:{}", ":{}", "tcp:{}:interface=127.0.0.1"])
def test_a_port_in_use(reactor: Any, where: str) -> None:
    """A port in use is one line that names the address, the reason and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = where.format(other.getsockname()[1])
        said = f"cannot listen on {taken}: address already in use; set HEALTH_SOCKET to another address"
        with pytest.raises(CannotStartError, match=f"^{re.escape(said)}$"):
            bind(taken, reactor)
    # Twisted 26.4 leaves the socket of an endpoint open when it cannot be bound.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


def test_nobody_else_can_have_it(reactor: Any, listen: Binder) -> None:
    """A bound port is ours from then on, before we serve."""
    bound = listen(":0")
    with pytest.raises(CannotStartError):
        bind(f":{port_of(bound)}", reactor)


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("192.0.2.1:80", "cannot assign requested address"),
        ("unix:/nonexistent/directory/socket", "no such file or directory"),
        ("unix:/" + "a" * 200, "path too long"),
        ("ssl:8443:privateKey=/nonexistent.pem", "no such file or directory"),
    ],
)
def test_what_cannot_be_had(reactor: Any, where: str, reason: str) -> None:
    """An address that this machine cannot listen on is one line that says why."""
    with pytest.raises(CannotStartError) as caught:
        bind(where, reactor)
    assert reason in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_unknown_name(reactor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody knows is one line that says so."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("procwrap.web.sockets.socket.getaddrinfo", unknown)
    with pytest.raises(CannotStartError, match="cannot listen on nobody:80: name or service not known; set"):
        bind("nobody:80", reactor)


@pytest.mark.parametrize("where", ["tcp:abc", "ssl:8443:color=red", "nonsense:here", "http://x", "systemd:x"])
def test_bad_descriptions(reactor: Any, where: str) -> None:
    """A description that Twisted does not understand is a usage error of one line."""
    with pytest.raises(UsageError) as caught:
        bind(where, reactor)
    assert str(caught.value).startswith(f"HEALTH_SOCKET {where!r}: ")
    assert str(caught.value).isprintable()


def test_a_unix_socket(reactor: Any, listen: Binder, tmp_path: Path) -> None:
    """A unix socket has the permissions asked for from its first moment, and is gone after the stop."""
    path = tmp_path / "socket"
    bound = listen(f"unix:{path}:mode=600")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        bound.serve(GREETERS)
        greeted(reactor, caller)
    stop(reactor, bound)
    assert os.listdir(tmp_path) == []


def test_a_stale_unix_socket(reactor: Any, listen: Binder, tmp_path: Path) -> None:
    """A socket that a crash has left behind is replaced."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(path))
        crashed.listen()
    bound = listen(f"unix:{path}")
    bound.serve(GREETERS)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        greeted(reactor, caller)


@pytest.mark.parametrize("backlog", [0, 5])
def test_a_unix_socket_in_use(reactor: Any, tmp_path: Path, backlog: int) -> None:
    """A socket that somebody answers on stays theirs, even if they are too busy to take a connection."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_UNIX) as caller:
        other.bind(str(path))
        other.listen(backlog)
        caller.connect(str(path))
        with pytest.raises(CannotStartError, match="address already in use"):
            bind(f"unix:{path}", reactor)
    assert path.exists()


def test_a_file_in_its_place(reactor: Any, tmp_path: Path) -> None:
    """A file that is no socket is not touched."""
    path = tmp_path / "precious"
    path.write_text("precious")
    with pytest.raises(CannotStartError, match="exists and is not a socket"):
        bind(f"unix:{path}", reactor)
    assert path.read_text() == "precious"


def test_a_unix_socket_that_somebody_removed(reactor: Any, tmp_path: Path) -> None:
    """Stopping works although the socket is gone already."""
    path = tmp_path / "socket"
    bound = bind(f"unix:{path}", reactor)
    path.unlink()
    stop(reactor, bound)
    stop(reactor, bound)


def test_children_do_not_inherit_it(listen: Binder, tmp_path: Path) -> None:
    """No process that we start gets our listening socket."""
    show = "import os; print([fd for fd in range(3, 100) if os.path.exists(f'/proc/self/fd/{fd}')])"

    def inherited() -> str:
        command = [sys.executable, "-c", show]
        return subprocess.run(command, capture_output=True, text=True, check=True, close_fds=False).stdout

    before = inherited()
    listen(":0")
    listen("tcp:0")
    listen(f"unix:{tmp_path}/socket")
    assert inherited() == before


@pytest.mark.parametrize("where", ["127.0.0.1:0", "unix:{}/socket:mode=600"])
def test_taken_before_twisted_is_there(reactor: Any, tmp_path: Path, where: str) -> None:
    """A socket can be taken as the very first thing, and handed over to be served later."""
    where = where.format(tmp_path)
    listener = open_early(where)
    assert listener is not None
    place = listener.getsockname()
    with socket.socket(listener.family) as caller:
        caller.connect(place)
        bound = bind(where, reactor, listener)
        bound.serve(GREETERS)
        greeted(reactor, caller)
    assert listener.family != socket.AF_UNIX or stat.S_IMODE(os.stat(place).st_mode) == 0o600
    stop(reactor, bound)


def test_what_cannot_be_taken_early() -> None:
    """Endpoint descriptions wait for Twisted; what cannot be had is told at once."""
    assert open_early("tcp:0") is None
    with pytest.raises(CannotStartError, match=r"^cannot listen on 192\.0\.2\.1:80: cannot"):
        open_early("192.0.2.1:80")
    with pytest.raises(UsageError):
        open_early("8111")


def test_taking_it_needs_no_twisted() -> None:
    """The first process does not wait for Twisted to be imported."""
    program = (
        "import sys; from procwrap.web.early import open_early; open_early('127.0.0.1:0').close();"
        "print([name for name in ('twisted', 'klein') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_binding_is_cheap() -> None:
    """Nothing heavy is imported to bind: the processes do not wait for it."""
    heavy = ("klein", "werkzeug", "twisted.web", "twisted.internet.endpoints", "treq")
    program = (
        "import sys; from procwrap.web.listening import bind; from twisted.internet import reactor;"
        f"bind('127.0.0.1:0', reactor); print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
