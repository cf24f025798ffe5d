"""Floods of every kind at once: /liveness is answered, memory stays bounded, no operator is locked out."""

from __future__ import annotations

import resource
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from tests.support.hosted import Hosted, process
from tests.support.plans import SERVE

pytestmark = [pytest.mark.integration, pytest.mark.alone]

SILENT = 1000
WAITING = 10_400
WAVE = 800
SEATS = 100
GROWTH = 50 * 1024 * 1024
WAIT = b"GET /readiness?wait HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"PATCH /heartbeat?name=a HTTP/1.1\r\nHost: x\r\n"
GIGABYTE = 1024 * 1024 * 1024
PIECE = b"x" * 65536


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """One of which a process never gets ready, so that who waits goes on waiting."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    never = {
        "readiness": {"delay": "0s", "period": "1s", "restartOnFailure": False, "file": {"path": "/nowhere"}}
    }
    try:
        with Hosted(tmp_path_factory.mktemp("flooded"), [process("a", SERVE, **never)], http=True) as flooded:
            flooded.until(lambda: flooded.operate("GET", "/pids")[0] == 200)
            yield flooded
            assert flooded.end() == 0
            assert flooded.err.read_text() == ""
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def call(hosted: Hosted) -> socket.socket:
    """Connect, in the manner of a client that has all the time in the world."""
    return socket.create_connection(("127.0.0.1", hosted.port), 30)


def memory(hosted: Hosted) -> int:
    """Return the bytes that procwrap itself has in memory."""
    pages = int(Path(f"/proc/{hosted.process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


class Watch:
    """Asks /liveness on new connections, as the kubelet does, until it is told to stop."""

    def __init__(self, hosted: Hosted) -> None:
        self._hosted = hosted
        self._over = Event()
        self._threads = ThreadPoolExecutor(1)
        self.seconds: list[float] = []
        self.largest = 0

    def __enter__(self) -> Watch:
        self._watching: Future[None] = self._threads.submit(self._watch)
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._threads.shutdown()
        self._watching.result()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            begin = time.monotonic()
            code = self._hosted.get("/liveness")[0]
            self.seconds.append(time.monotonic() - begin)
            self.largest = max(self.largest, memory(self._hosted))
            # A process that was never healthy is a reason for 503; what counts is that it is answered.
            assert code in (200, 503)

    @property
    def p99(self) -> float:
        """The time that 99 of 100 answers did not exceed."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]


def answers(callers: list[socket.socket], enough: int, seconds: float = 15.0) -> int:
    """Count those who get an answer, or are cut off, until they are enough."""
    poll = select.poll()
    for caller in callers:
        poll.register(caller, select.POLLIN)
    end, seen = time.monotonic() + seconds, 0
    while seen < enough and time.monotonic() < end:
        for number, _ in poll.poll(100):
            seen += 1
            poll.unregister(number)
    return seen


def wave(hosted: Hosted, size: int) -> bool:
    """Have so many clients wait at once; return whether all but those who found a seat were told to go."""
    callers = [call(hosted) for _ in range(size)]
    for caller in callers:
        with suppress(OSError):  # it was told to go before it could ask
            caller.sendall(WAIT)
    refused = answers(callers, size - SEATS)
    for caller in callers:
        caller.close()
    return refused >= size - SEATS


def sent(hosted: Hosted, head: bytes) -> int:
    """Send a gigabyte in a minute or more; return how much that was before we were cut off."""
    taken = 0
    with call(hosted) as caller:
        try:
            caller.sendall(BODY + head)
            while taken < GIGABYTE:
                caller.sendall(b"10000\r\n" + PIECE + b"\r\n" if b"chunked" in head else PIECE)
                taken += len(PIECE)
                time.sleep(0.005)
        except OSError:
            return taken
    return taken


def sent_slowly(hosted: Hosted) -> float:
    """Send a body a little at a time; return after how many seconds we were cut off."""
    begin = time.monotonic()
    with call(hosted) as caller:
        caller.sendall(BODY + b"Content-Length: 60000\r\n\r\n")
        caller.settimeout(0.3)
        while time.monotonic() - begin < 30:
            try:
                caller.sendall(b"x")
                if caller.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    return time.monotonic() - begin


def test_floods(hosted: Hosted) -> None:
    """Thousands wait and leave, bodies have no end, a thousand say nothing: health is answered."""
    hosted.operate("GET", "/config")
    wave(hosted, 200)
    before = memory(hosted)
    with ThreadPoolExecutor(4) as threads, Watch(hosted) as watch:
        slow = [threads.submit(sent_slowly, hosted) for _ in range(2)]
        bodies = [
            threads.submit(sent, hosted, head)
            for head in (b"Content-Length: 1073741824\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n")
        ]
        refused = [wave(hosted, WAVE) for _ in range(WAITING // WAVE)]
        silent = [call(hosted) for _ in range(SILENT)]
        for _ in range(20):
            assert hosted.operate("GET", "/stats")[0] == 200
        connections = hosted.operate("GET", "/stats")[1]["connections"]
        largest = max(body.result() for body in bodies)
        patience = [one.result() for one in slow]
        for caller in silent:
            caller.close()
    assert all(refused)
    assert 500 <= connections["http"] <= 1200
    assert connections["control"] <= 2
    # What is sent for a second after the refusal is read and thrown away, so that the refusal can be read.
    assert largest < GIGABYTE / 5
    assert all(5 < seconds < 25 for seconds in patience)
    assert len(watch.seconds) > 50
    assert watch.p99 < 2
    assert watch.largest - before < GROWTH
    hosted.until(lambda: hosted.operate("GET", "/stats")[1]["connections"]["http"] == 0)
    assert memory(hosted) - before < GROWTH
