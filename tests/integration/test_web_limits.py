"""Clients that mean no good, over real sockets and in real time."""

from __future__ import annotations

import random
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import define

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
LIVENESS = b"GET /liveness HTTP/1.1\r\nHost: x\r\n\r\n"
WAIT = b"GET /readiness?wait HTTP/1.1\r\nHost: x\r\n\r\n"
BEAT = b"PATCH /heartbeat?name=api HTTP/1.1\r\nHost: x\r\n"


@define(eq=False)
class Served:
    """A host in a process of its own."""

    process: subprocess.Popen[str]
    port: int

    def order(self, line: str) -> str:
        """Tell it something; return what it says."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def call(self) -> socket.socket:
        """Connect."""
        caller = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return caller

    def ask(self, request: bytes) -> int:
        """Return the code of the answer to a request."""
        with self.call() as caller:
            caller.sendall(request)
            return code(caller.recv(65536))


def code(answer: bytes) -> int:
    """Return the code of an answer."""
    return int(answer.split(b" ")[1])


def everything(caller: socket.socket) -> bytes:
    """Read until the other side closes."""
    parts = []
    while part := caller.recv(65536):
        parts.append(part)
    return b"".join(parts)


def seconds(act: Callable[[], object]) -> float:
    """Return how long something takes."""
    begin = time.monotonic()
    act()
    return time.monotonic() - begin


def is_closed(caller: socket.socket) -> bool:
    """Return whether the other side closes within the caller's timeout."""
    try:
        return caller.recv(1) == b""
    except TimeoutError:
        return False


def send_for_ever(caller: socket.socket) -> None:
    """Send requests until that cannot be done any more."""
    while True:
        caller.sendall(PING * 200)


def serve(*arguments: str) -> Iterator[Served]:
    """Run a host; at the end it must not have complained about anything."""
    command = [sys.executable, "-m", "tests.support.web_host", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        where = process.stdout.readline().strip()
        served = Served(process, int(where) if where.isdigit() else 0)
        if served.port:
            assert served.order("up api db") == "done"
        yield served
        _, complaints = process.communicate(timeout=20)
    assert (process.returncode, complaints) == (0, "")


@pytest.fixture
def host() -> Iterator[Served]:
    """One with the patience of real life."""
    yield from serve("127.0.0.1:0")


@pytest.fixture
def hasty() -> Iterator[Served]:
    """One that drops clients after a second."""
    yield from serve("127.0.0.1:0", "1")


@pytest.mark.alone
def test_a_thousand_silent_connections(host: Served) -> None:
    """1,000 clients that say nothing do not keep /liveness from being answered, at once."""
    silent = [host.call() for _ in range(1000)]
    times = [seconds(lambda: host.ask(LIVENESS)) for _ in range(100)]
    assert host.ask(LIVENESS) == host.ask(LIVENESS.replace(b"live", b"readi")) == 200
    assert sorted(times)[90] < 1
    assert host.ask(PING) == 503
    with host.call() as one_more:
        begin = time.monotonic()
        answer = everything(one_more)
        assert code(answer) == 503
        assert 0.5 < time.monotonic() - begin < 9
    for caller in silent[:10]:
        caller.close()
    time.sleep(0.2)
    assert host.ask(PING) == 200
    for caller in silent:
        caller.close()


def test_a_byte_now_and_then(hasty: Served) -> None:
    """A client that sends its request byte by byte is dropped when its time is over."""
    with hasty.call() as caller:
        caller.settimeout(0.2)
        begin = time.monotonic()
        for byte in PING:
            caller.sendall(bytes([byte]))
            if is_closed(caller):
                break
        assert 0.8 < time.monotonic() - begin < 9
    assert hasty.ask(PING) == 200


def test_an_idle_connection(hasty: Served) -> None:
    """A kept connection is closed, in good order, when it was idle for its time."""
    with hasty.call() as caller:
        caller.sendall(PING)
        assert code(caller.recv(65536)) == 200
        assert 0.8 < seconds(lambda: everything(caller)) < 9


def test_one_that_does_not_read(hasty: Served) -> None:
    """A client that sends requests and reads no answer is dropped, and holds up nobody."""
    with hasty.call() as caller:
        begin = time.monotonic()
        with pytest.raises(ConnectionError):
            send_for_ever(caller)
        assert time.monotonic() - begin < 15
    assert hasty.ask(PING) == 200


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (b"GET /" + b"a" * 30_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET /ping HTTP/1.1\r\n" + (b"X: " + b"a" * 200 + b"\r\n") * 200 + b"\r\n", 431),
        (BEAT + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000, 413),
        (BEAT + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n" + b"x" * 0xFFFFF + b"\r\n0\r\n\r\n", 413),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n" * 1000, 400),
    ],
)
def test_refusals_can_be_read(host: Served, request_bytes: bytes, expected: int) -> None:
    """A client that sends too much can read why it is refused, although it sends on meanwhile."""
    with host.call() as caller:
        caller.sendall(request_bytes)
        answer = everything(caller)
    assert code(answer) == expected
    assert answer.endswith(b'"}\n')


def test_waiting_and_leaving(host: Served) -> None:
    """Clients that wait and leave, in good order or not, leave nothing behind, however many they were."""
    host.order("down db")
    for _ in range(10):
        waiting = [host.call() for _ in range(100)]
        for caller in waiting:
            caller.sendall(WAIT)
        assert wait_for(host, 100)
        for number, caller in enumerate(waiting):
            if number % 2:
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            caller.close()
        assert wait_for(host, 0)


def wait_for(host: Served, watchers: int) -> bool:
    """Wait until that many clients wait."""
    for _ in range(100):
        if host.order("watchers") == str(watchers):
            return True
        time.sleep(0.02)
    return False


def test_waiting_longer_than_patience(hasty: Served) -> None:
    """``?wait`` is not cut off, and is answered when all is healthy."""
    hasty.order("down db")
    with hasty.call() as caller:
        caller.sendall(WAIT)
        time.sleep(2)
        hasty.order("up db")
        assert code(caller.recv(65536)) == 200


def test_giving_up(host: Served) -> None:
    """``?wait=1s`` is answered with 503 after a second."""
    host.order("down db")
    begin = time.monotonic()
    assert host.ask(WAIT.replace(b"wait", b"wait=1s")) == 503
    assert 0.9 < time.monotonic() - begin < 9


@pytest.mark.alone
def test_pipelining(host: Served) -> None:
    """Hundreds of requests in one go are all answered, in order, and others are served meanwhile."""
    with host.call() as caller:
        caller.sendall((PING + LIVENESS) * 300)
        times = [seconds(lambda: host.ask(LIVENESS)) for _ in range(20)]
        caller.sendall(PING.replace(b"Host: x", b"Connection: close"))
        answers = everything(caller)
    assert [code(b" " + part.split(b" ", 1)[1]) for part in answers.split(b"HTTP/1.1")[1:]] == [200] * 601
    assert answers.count(b'{"ping": "ok"}') == 301
    assert max(times) < 1


def test_garbage(host: Served) -> None:
    """Whatever bytes come, we go on, and have nothing to complain about."""
    chance = random.Random(8111)
    pieces = [
        b"GET ",
        b"/ping",
        b" HTTP/1.1",
        b"\r\n",
        b"\r\n\r\n",
        b"Host: ",
        b":",
        b"\xff",
        b"\x00",
        b"%ff",
    ]
    for _ in range(300):
        with host.call() as caller:
            garbage = b"".join(chance.choice(pieces) for _ in range(chance.randrange(30)))
            caller.sendall(garbage + chance.randbytes(chance.randrange(100)))
    assert host.ask(PING) == 200


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate in one file."""
    pytest.importorskip("OpenSSL", reason="TLS needs pyOpenSSL")
    if shutil.which("openssl") is None:
        pytest.skip("openssl is needed to make a certificate")
    path = tmp_path / "both.pem"
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout key -out both"
    subprocess.run(make.split(), cwd=tmp_path, check=True, capture_output=True)
    path.write_text((tmp_path / "key").read_text() + (tmp_path / "both").read_text())
    return path


def test_over_tls(certificate: Path) -> None:
    """An ssl: endpoint serves HTTP/1.1 with the same limits, and refusals can be read there too."""
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols(["h2", "http/1.1"])
    for served in serve(f"ssl:0:privateKey={certificate}:certKey={certificate}:interface=127.0.0.1", "1"):
        for request, expected in ((LIVENESS, 200), (b"nonsense\r\n\r\n", 400)):
            with context.wrap_socket(served.call(), server_hostname="localhost") as caller:
                caller.sendall(request)
                assert code(everything(caller)) == expected


def test_over_a_unix_socket(tmp_path: Path) -> None:
    """A unix socket serves too, also clients that say nothing of a host."""
    path = tmp_path / "socket"
    for _ in serve(f"unix:{path}"):
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(20)
            caller.connect(str(path))
            caller.sendall(b"GET /status HTTP/1.0\r\n\r\n")
            assert everything(caller).endswith(b'{"api": false, "db": false}\n')
    assert not path.exists()
