"""A server that accepts and says nothing holds up nobody, whatever it was asked."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from attrs import frozen

from tests.support.hosted import Hosted, process
from tests.support.peers import full_listener
from tests.support.silent import SilentListeners, Visit

pytestmark = [pytest.mark.integration, pytest.mark.alone, pytest.mark.usefixtures("nothing_left")]

TIMEOUT = 0.5
TOLERANCE = 0.1
"""Seconds before or after its timeout in which a probe has to fail."""
PERIOD = 0.1
JITTER = 0.02
"""Seconds by which a neighbour's period may differ, more than that of a program that does nothing else."""
ROUNDS = 3
"""Failed rounds of each probe that are looked at."""
WINDOWS, WINDOW = 3, 5.0
"""The neighbour is watched so many times for so many seconds; the best counts: machines have stalls too."""

# Fails to connect, since the queue of the listener is full: what tcp is silent with.
TCP = "tcp"
PROBES: dict[str, Any] = {
    TCP: lambda port: {"tcp": {"socket": f"127.0.0.1:{port}"}},
    "http": lambda port: {"http": {"url": f"http://127.0.0.1:{port}/"}},
    "https": lambda port: {"http": {"url": f"https://127.0.0.1:{port}/"}},
    "postgresql": lambda port: {"sql": {"dsn": f"postgresql://app:secret@127.0.0.1:{port}/app"}},
    "mysql": lambda port: {"sql": {"dsn": f"mysql://app:secret@127.0.0.1:{port}/app"}},
    "amqp": lambda port: {"amqp": {"dsn": f"amqp://app:secret@127.0.0.1:{port}/"}},
    "amqp-kept": lambda port: {"amqp": {"dsn": f"amqp://app:secret@127.0.0.1:{port}/", "reuseConn": True}},
    "grpc": lambda port: {"grpc": {"address": f"127.0.0.1:{port}"}},
}
"""Name to what makes the settings of its probe out of a port."""

METRONOME = """
import socket, sys, time
while True:
    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
    time.sleep(float(sys.argv[2]))
"""


@frozen
class Seen:
    """What one run has shown.

    Attributes:
        rounds: of each silent probe, the seconds that its last rounds took, as procwrap tells them.
        reasons: of each, why it failed.
        visits: of each but tcp, the connections that its listener has seen.
        windows: gaps between the neighbour's probes, and between the beats of a metronome, sorted.
    """

    rounds: dict[str, list[float]]
    reasons: dict[str, str]
    visits: dict[str, list[Visit]]
    windows: list[tuple[list[float], list[float]]]
    told: str

    @property
    def noise(self) -> float:
        """Seconds by which the metronome was off at worst: what this machine does to anybody."""
        return max(metronome[-1] - PERIOD for _, metronome in self.windows)

    def off(self, times: list[float]) -> list[float]:
        """Those times that are not the timeout, by more than the tolerance and the machine's own noise."""
        return [each for each in times if abs(each - TIMEOUT) > TOLERANCE + self.noise]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """One procwrap with one process for every type, and a neighbour with a probe of 100 ms."""
    full, sockets = full_listener()
    try:
        with SilentListeners(len(PROBES) + 2) as silent:
            *ports, neighbour, metronome = silent.ports
            addresses = dict(zip(PROBES, ports, strict=True)) | {TCP: full}
            beat = [sys.executable, "-S", "-E", "-c", METRONOME, str(metronome), str(PERIOD)]
            control = subprocess.Popen(beat)
            try:
                with Hosted(tmp_path_factory.mktemp("silent"), plan(addresses, neighbour), http=True) as host:
                    yield watch(host, silent, addresses, neighbour, metronome)
            finally:
                control.kill()
                control.wait()
    finally:
        for each in sockets:
            each.close()


def plan(addresses: dict[str, int], neighbour: int) -> list[dict[str, Any]]:
    """A process for each silent probe, and one whose peer is well."""
    processes = []
    for name, port in addresses.items():
        ((kind, settings),) = PROBES[name](port).items()
        probe = {kind: {**settings, "timeout": f"{TIMEOUT * 1000:g}ms"}}
        processes.append(probed(name, period="100ms", **probe))
    return [*processes, probed("neighbour", period="100ms", tcp={"socket": f"127.0.0.1:{neighbour}"})]


def probed(name: str, **readiness: Any) -> dict[str, Any]:
    """A process that sleeps, with a check that never restarts it."""
    check = {"delay": "10ms", "restartOnFailure": False, **readiness}
    return process(name, "exec sleep 600", readiness=check)


def watch(
    host: Hosted, silent: SilentListeners, addresses: dict[str, int], neighbour: int, metronome: int
) -> Seen:
    """Wait until every probe has failed twice, so that all drivers are loaded; then measure."""
    host.until(lambda: failures(host) >= 2)
    windows = []
    begin = time.monotonic()
    rounds: dict[str, list[float]] = {name: [] for name in addresses}
    reasons: dict[str, str] = {}
    for _ in range(WINDOWS):
        since = time.monotonic()
        while time.monotonic() < since + WINDOW:
            time.sleep(TIMEOUT)
            for name, view in host.get("/status?full")[1].items():
                if name in rounds:
                    (probe,) = view["checks"]["readiness"]["probes"]
                    rounds[name].append(probe["seconds"])
                    reasons[name] = probe["reason"]
        windows.append((gaps(silent.visits[neighbour], since), gaps(silent.visits[metronome], since)))
        if steady(windows[-1]):
            break
    visits = {
        name: [visit for visit in silent.visits[port] if visit.came > begin and visit.left]
        for name, port in addresses.items()
        if name != TCP
    }
    return Seen(rounds, reasons, visits, windows, host.told())


def failures(host: Hosted) -> int:
    """How many rounds the slowest of them has behind it."""
    # Refused until HTTP is served.
    with suppress(OSError):
        views = host.get("/status?full")[1]
        checks = [view["checks"].get("readiness") for name, view in views.items() if name != "neighbour"]
        return min(check["failures"] if check else 0 for check in checks)
    return 0


def gaps(visits: list[Visit], since: float) -> list[float]:
    """Seconds from each visit to the next."""
    return sorted(after.came - before.came for before, after in pairwise(visits) if before.came > since)


def steady(window: tuple[list[float], list[float]]) -> bool:
    """Whether the neighbour kept its period as well as the metronome did, but for the jitter it may have."""
    neighbour, metronome = window
    noise = max(metronome) - PERIOD, max(PERIOD - metronome[0], 0.0)
    return neighbour[-1] < PERIOD + JITTER + noise[0] and neighbour[0] > PERIOD - JITTER - noise[1]


@pytest.mark.parametrize("name", PROBES)
def test_a_silent_server_fails_at_its_timeout(seen: Seen, name: str) -> None:
    """Neither earlier nor later, in every round, and the reason says what was waited for."""
    assert len(seen.rounds[name]) >= ROUNDS
    assert not seen.off(seen.rounds[name]), (seen.rounds[name], seen.noise)
    assert "no answer within 0.5s" in seen.reasons[name]


@pytest.mark.parametrize("name", [name for name in PROBES if name != TCP])
def test_the_server_sees_the_end(seen: Seen, name: str) -> None:
    """At the timeout the connection is closed for real: the server sees it end, and no second one is open."""
    visits = seen.visits[name]
    assert len(visits) >= ROUNDS
    stayed = [visit.stayed for visit in visits]
    assert not seen.off(stayed), (stayed, seen.noise)
    assert all(before.left and before.left <= after.came for before, after in pairwise(visits))


def test_a_neighbour_keeps_its_period(seen: Seen) -> None:
    """A probe of another process comes every 100 ms, to within 20 ms, while all of them are silent."""
    shown = [[[round(gap * 1000) for gap in side[-3:]] for side in window] for window in seen.windows]
    assert any(map(steady, seen.windows)), shown
    assert all(len(neighbour) > WINDOW / PERIOD * 0.8 for neighbour, _ in seen.windows)


def test_nobody_shows_a_password(seen: Seen) -> None:
    """The passwords of the connection strings are in no line."""
    assert "secret" not in seen.told
