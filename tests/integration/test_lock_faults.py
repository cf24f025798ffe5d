"""Never two at once: whatever goes wrong between the contenders for a lock, their server and their guards."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.lockfaults import BACK_WITHIN, FAULTS, TTL, Contender, Contest, Outcome, Server
from tests.support.presence import compiled, lives, longest_silence, overlaps
from tests.support.procfs import eventually
from tests.support.servers import etcd
from tests.support.wires import Wires

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

LONG = bool(os.environ.get("PROCWRAP_LONG"))
SEED = int(os.environ.get("PROCWRAP_SEED", "20261122"))
RUNS = 500 if LONG else 6
AT_ONCE = 6 if LONG else 4
EACH = 10 if LONG else 2
"""Faults that the same contenders live through."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that writes down that it runs."""
    return compiled(tmp_path_factory.mktemp("presence"))


@pytest.fixture(scope="module")
def wires() -> Iterator[Wires]:
    """Everything between contenders and servers."""
    with Wires() as made:
        yield made


def suffer(contest: Contest, seed: int) -> list[Outcome]:
    """Let some contenders live through the faults of a seed."""
    with contest:
        for fault in random.Random(seed).choices(list(FAULTS), k=EACH):
            contest.suffer(fault)
    contest.check()
    return contest.outcomes


@pytest.mark.timeout(3600 if LONG else 180)
@pytest.mark.alone
def test_never_two_at_once(
    tmp_path: Path, wires: Wires, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two to five contenders one runs at a time, and soon after each fault one runs again."""

    def run(seed: int) -> list[Outcome]:
        return suffer(Contest(tmp_path / str(seed), wires, program, seed), seed)

    begun = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = [outcome for each in pool.map(run, range(SEED, SEED + RUNS // EACH)) for outcome in each]
    assert len(outcomes) == RUNS
    assert max(outcome.silence for outcome in outcomes) <= BACK_WITHIN
    if LONG:
        with capsys.disabled():
            report(outcomes, time.monotonic() - begun)


@pytest.mark.skipif(not etcd.available(), reason=etcd.MISSING)
@pytest.mark.timeout(3600 if LONG else 180)
def test_two_servers_in_front_of_one_etcd(
    tmp_path: Path, wires: Wires, program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lock is one, whichever server a contender asks."""
    begun, outcomes = time.monotonic(), []
    for seed in range(SEED, SEED + (8 if LONG else 1)):
        with etcd.Etcd() as store:
            contest = Contest(tmp_path / str(seed), wires, program, seed, store.environment, 2, count=3)
            outcomes += suffer(contest, seed)
    if LONG:
        with capsys.disabled():
            report(outcomes, time.monotonic() - begun)


@pytest.mark.alone
def test_the_next_one_runs_soon_after_a_stop(tmp_path: Path, program: Path) -> None:
    """Within 300 ms of the end of the one before."""
    (tmp_path / "history").mkdir()
    server = Server(tmp_path / "server")
    url = f"http://127.0.0.1:{server.port}"
    with ExitStack() as stack:
        stack.callback(server.close)
        contenders = [Contender(tmp_path, f"c{number}", url, program) for number in range(4)]
        for contender in contenders:
            stack.callback(contender.close)
        eventually(lambda: all(contender.is_up() for contender in contenders))
        for count in range(1, 4):
            eventually(lambda wanted=count: len(lives(tmp_path / "history")) == wanted)
            holder = next(each for each in contenders if each.name == lives(tmp_path / "history")[-1].name)
            time.sleep(0.1)
            assert holder.hosted.end() == 0
        eventually(lambda: len(lives(tmp_path / "history")) == 4)
    history = lives(tmp_path / "history")
    assert overlaps(history) == []
    gaps = [after.begin - before.end for before, after in pairwise(history)]
    assert statistics.median(gaps) < 0.3, gaps


@pytest.fixture
def networks() -> Iterator[tuple[str, list[str]]]:
    """A network namespace for the server, and two for contenders, each with a cable to it."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and ip(8)")
    middle, *names = (f"pw{uuid4().hex[:6]}" for _ in range(3))
    with ExitStack() as stack:
        for name in (middle, *names):
            if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode != 0:
                pytest.skip("network namespaces cannot be made here")
            stack.callback(subprocess.run, ["ip", "netns", "del", name], check=True)
        for number, name in enumerate(names):
            for words in (
                f"-n {middle} link add {name}h type veth peer name {name}c netns {name}",
                f"-n {middle} addr add 10.231.{number}.1/30 dev {name}h",
                f"-n {middle} link set {name}h up",
                f"-n {name} addr add 10.231.{number}.2/30 dev {name}c",
                f"-n {name} link set {name}c up",
            ):
                subprocess.run(["ip", *words.split()], check=True, capture_output=True)
        yield middle, names


@pytest.mark.root
def test_a_cable_is_pulled(tmp_path: Path, program: Path, networks: tuple[str, list[str]]) -> None:
    """Packets vanish both ways, connections stay open: the holder's process is dead before another runs."""
    (tmp_path / "history").mkdir()
    middle, names = networks
    inside = ("ip", "netns", "exec")
    server = Server(tmp_path / "server", host="0.0.0.0", prefix=(*inside, middle))
    with ExitStack() as stack:
        stack.callback(server.close)
        contenders = {}
        for number, name in enumerate(names):
            url = f"http://10.231.{number}.1:{server.port}"
            contenders[name] = Contender(tmp_path, name, url, program, prefix=(*inside, name))
            stack.callback(contenders[name].close)
        eventually(lambda: all(contender.is_up() for contender in contenders.values()))
        (first,) = eventually(lambda: lives(tmp_path / "history"))
        pulled = time.monotonic()
        subprocess.run(["ip", "-n", middle, "link", "set", f"{first.name}h", "down"], check=True)
        eventually(lambda: len(lives(tmp_path / "history")) == 2)
        time.sleep(1.5 * TTL)
        subprocess.run(["ip", "-n", middle, "link", "set", f"{first.name}h", "up"], check=True)
        time.sleep(1.5 * TTL)
    history = lives(tmp_path / "history")
    assert overlaps(history) == []
    assert longest_silence(history, pulled, history[-1].end) <= BACK_WITHIN


def report(outcomes: list[Outcome], took: float) -> None:
    """Print what was measured."""
    lines = [f"\n{len(outcomes)} runs in {took:.0f}s; for how long nobody ran after the fault (s):"]
    for fault in FAULTS:
        silences = [outcome.silence for outcome in outcomes if outcome.fault == fault]
        if silences:
            middle, most = statistics.median(silences), max(silences)
            lines.append(f"{fault:28} {len(silences):4} runs, median {middle:.2f}, at most {most:.2f}")
    handovers = [outcome.handover for outcome in outcomes if outcome.handover is not None]
    if handovers:
        middle, most = statistics.median(handovers), max(handovers)
        lines.append(f"from a stop to the next one: median {middle:.3f}, at most {most:.3f}")
    print("\n".join(lines))  # noqa: T201
