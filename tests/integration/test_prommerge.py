"""/prommerge of a real procwrap, whose targets are real servers of every manner."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from procwrap.metrics.syntax import Syntax
from tests.support.expositions import read, samples_of
from tests.support.hosted import ROOT, Hosted, free_port, process
from tests.support.plans import SERVE
from tests.support.schedstat import scheduled
from tests.support.servers import targets as manners
from tests.support.servers.targets import Manner, Target, answering

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"
GOOD = b"# HELP jobs_total Jobs.\n# TYPE jobs_total counter\n" + b"".join(
    b'jobs_total{queue="q%d"} %d\n' % (number, number) for number in range(2000)
)


class Merged:
    """A procwrap whose processes have these targets."""

    def __init__(self, stack: ExitStack, home: Path, given: dict[str, Manner | str], *options: str) -> None:
        self.targets = {
            name: stack.enter_context(Target(manner)) for name, manner in given.items() if callable(manner)
        }
        urls = {
            name: manner if isinstance(manner, str) else self.targets[name].url
            for name, manner in given.items()
        }
        plan = [process(name, SERVE, promTarget=url) for name, url in urls.items()]
        self.hosted = stack.enter_context(Hosted(home, plan, options, http=True)).up()

    def get(self, **headers: str) -> tuple[int, bytes, float]:
        """Ask; return status, body and seconds."""
        asking = http.client.HTTPConnection("127.0.0.1", self.hosted.port, timeout=30)
        began = time.monotonic()
        asking.request("GET", "/prommerge", headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = asking.getresponse()
        body = answer.read()
        asking.close()
        return answer.status, body, time.monotonic() - began

    def warnings(self) -> dict[str, str]:
        """What the log says about each target."""
        return {
            record["process"]: record["msg"]
            .partition(": ")[2]
            .removesuffix("; its metrics are not in /prommerge")
            for record in self.hosted.records()
            if record.get("process") in {*self.targets, "refused"} and record["level"] == "warning"
        }


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Everything that is entered is left again."""
    with ExitStack() as entered:
        yield entered


def processes_of(body: bytes) -> dict[str, int]:
    """How many samples of each process a body has."""
    found: dict[str, int] = {}
    for _, labels, _, _ in samples_of(read(body, Syntax.TEXT)):
        name = dict(labels)["process_name"]
        found[name] = found.get(name, 0) + 1
    return found


def test_bad_targets_lose_only_themselves(stack: ExitStack, tmp_path: Path) -> None:
    """Whatever the others do, all samples of the good ones are there, within the scraper's patience."""
    bad: dict[str, Any] = {
        "hang": manners.hang,
        "trickle": manners.trickle,
        "flood": manners.flood,
        "bomb": manners.BOMB,
        "cut": manners.cut,
        "rude": manners.rude,
        "refused": f"http://me:s3cret@localhost:{free_port()}/metrics?token=t0ken",
        "broken": answering(b"jobs_total 1\n", status="500 Oh no"),
        "moved": answering(b"", status="302 Found", more="Location: /elsewhere\r\n"),
        "garbage": answering(GOOD + b"\x00\xff{{{\n" + GOOD),
        "page": answering(b"<html>404</html>", kind="text/html"),
        "endless": answering(b"# TYPE a gauge\na 1\n", kind="application/openmetrics-text"),
    }
    merged = Merged(stack, tmp_path, {"a": answering(GOOD), **bad, "z": manners.packed(GOOD)})
    for _ in range(2):
        status, body, took = merged.get(**{TIMEOUT: "2.5"})
        assert (status, processes_of(body)) == (200, {"a": 2000, "z": 2000})
        assert 1.9 < took < 3.5
    assert merged.warnings() == {
        "hang": "no answer within 2s",
        "trickle": "no answer within 2s",
        "flood": "more than 64 MiB",
        "bomb": "more than 64 MiB",
        "cut": "the answer was cut off or is not HTTP (ConnectionDone)",
        "rude": merged.warnings()["rude"],
        "refused": "connection refused",
        "broken": "500, expected 200",
        "moved": "302, expected 200",
        "garbage": "it holds a NUL byte",
        "page": "line 1: not a sample",
        "endless": "it was cut off: OpenMetrics ends with # EOF",
    }
    assert len(merged.hosted.said("not in /prommerge")) == len(bad), "each is told once, not each scrape"
    log = merged.hosted.out.read_text()
    assert "s3cret" not in log
    assert "t0ken" not in log


def test_promtool_and_formats(stack: ExitStack, tmp_path: Path) -> None:
    """What comes out is accepted by Prometheus' own tool, and is OpenMetrics when asked for."""
    promtool = shutil.which("promtool")
    assert promtool, "install the Debian package prometheus"
    merged = Merged(stack, tmp_path, {"a": answering(GOOD), "b": answering(GOOD)})
    _, body, _ = merged.get()
    done = subprocess.run([promtool, "check", "metrics"], input=body, capture_output=True, timeout=30)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    _, body, _ = merged.get(Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert len(samples_of(read(body, Syntax.OPENMETRICS))) == 4000


def test_there_and_gone_and_back(stack: ExitStack, tmp_path: Path) -> None:
    """A target that fails is told once, and once more when it is back; connections are kept between."""
    merged = Merged(stack, tmp_path, {"a": answering(GOOD)})
    target = merged.targets["a"]
    for manner in (answering(GOOD), answering(b"", status="503 No"), answering(GOOD)):
        target.manner = manner
        for _ in range(3):
            merged.get()
    assert len(target.open) <= 2
    assert [line.partition("metrics: ")[2] for line in merged.hosted.said("/metrics: ")] == [
        "503, expected 200; its metrics are not in /prommerge",
        "its metrics are back",
    ]


def test_a_scraper_that_leaves_ends_its_scrapes(stack: ExitStack, tmp_path: Path) -> None:
    """When Prometheus hangs up, the targets are let go at once."""
    merged = Merged(stack, tmp_path, {"hang": manners.hang, "trickle": manners.trickle})
    for _ in range(20):
        asking = http.client.HTTPConnection("127.0.0.1", merged.hosted.port, timeout=30)
        asking.request("GET", "/prommerge")
        merged.hosted.until(lambda: all(target.open for target in merged.targets.values()))
        asking.close()
        merged.hosted.until(lambda: not any(target.open for target in merged.targets.values()), 2.0)
    assert merged.hosted.get("/ping")[0] == 200
    assert merged.warnings() == {}


def test_not_ready_processes_are_not_asked(stack: ExitStack, tmp_path: Path) -> None:
    """204 while none that has metrics is healthy; its own metrics as soon as it is."""
    target = stack.enter_context(Target(answering(GOOD)))
    mark = tmp_path / "mark"
    checked = {"delay": "0s", "period": "20ms", "startupDeadline": "60s", "file": {"path": str(mark)}}
    plan = [process("a", SERVE, promTarget=target.url, readiness=checked), process("b", SERVE)]
    hosted = stack.enter_context(Hosted(tmp_path, plan, http=True))
    hosted.until(lambda: "up" in hosted.lines("a") and "up" in hosted.lines("b"))
    hosted.until(lambda: _asked(hosted) == 204)
    assert target.heads == []
    mark.touch()
    hosted.up()
    assert _asked(hosted) == 200
    assert len(target.heads) == 1


def test_options(stack: ExitStack, tmp_path: Path) -> None:
    """The options of the command line reach the merge."""
    options = ("-prommerge-empty-on-failure", "-prommerge-supress-errors", "--prommerge-omit-meta")
    merged = Merged(stack, tmp_path, {"a": answering(b"# TYPE x gauge\nx 1\n")}, *options)
    assert merged.get()[1] == b'x{process_name="a"} 1\n'
    merged.targets["a"].manner = answering(b"", status="500 No")
    assert merged.get()[:2] == (200, b"")
    assert merged.warnings() == {}


@pytest.mark.alone
def test_the_reactor_is_not_held(stack: ExitStack, tmp_path: Path) -> None:
    """While 50 targets of 2,000 series each are merged, everything else is answered soon."""
    given: dict[str, Manner | str] = {f"p{number:02d}": answering(GOOD) for number in range(50)}
    merged = Merged(stack, tmp_path, given)
    delays: list[float] = []
    over = threading.Event()

    def ping() -> None:
        asking = http.client.HTTPConnection("127.0.0.1", merged.hosted.port, timeout=30)
        while not over.is_set():
            began = time.monotonic()
            asking.request("GET", "/ping")
            asking.getresponse().read()
            delays.append(time.monotonic() - began)
            time.sleep(0.002)
        asking.close()

    merged.get()
    pinging = threading.Thread(target=ping)
    pinging.start()
    try:
        bodies = [merged.get()[1] for _ in range(3)]
    finally:
        over.set()
        pinging.join()
    assert {body.count(b"\njobs_total{") for body in bodies} == {100_000}
    # Half of them share their moment with this process's own work: the bound is that of a bystander.
    assert sorted(delays)[len(delays) // 2] < 0.05
    assert max(delays) < 0.5


@pytest.fixture
def exposed() -> Iterator[list[str]]:
    """Twenty targets of 2,000 series each, in a process of their own."""
    command = [sys.executable, str(ROOT / "tests/benchmarks/exposer.py"), "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield [f"http://127.0.0.1:{port}/" for port in json.loads(server.stdout.readline())]
        finally:
            server.kill()


@pytest.mark.alone
def test_twenty_targets(stack: ExitStack, tmp_path: Path, exposed: list[str]) -> None:
    """Merging 20 targets of 2,000 series each takes at most 150 ms, of which all is there."""
    merged = Merged(stack, tmp_path, {f"p{number:02d}": url for number, url in enumerate(exposed)})
    pid = merged.hosted.process.pid
    merged.get()
    cpu, wall = [], []
    for _ in range(9):
        ran, waited = scheduled(pid)
        status, body, took = merged.get()
        assert (status, body.count(b'{process_name="p')) == (200, 40_000)
        ran_then, waited_then = scheduled(pid)
        cpu.append(ran_then - ran)
        # What a busy machine takes away is not procwrap's.
        wall.append(took - (waited_then - waited))
    assert statistics.median(cpu) <= 0.15, cpu
    assert min(wall) <= 0.15, wall


@pytest.mark.alone
def test_twenty_targets_and_three_bad_ones(stack: ExitStack, tmp_path: Path, exposed: list[str]) -> None:
    """One hangs, one sends garbage, one 100 MB: all samples of the others are there."""
    bad: dict[str, Manner | str] = {
        "hang": manners.hang,
        "garbage": answering(GOOD + b"\x00\xff{{{\n" + GOOD),
        "flood": manners.flood,
    }
    good: dict[str, Manner | str] = {f"p{number:02d}": url for number, url in enumerate(exposed)}
    merged = Merged(stack, tmp_path, {**bad, **good})
    status, body, _ = merged.get(**{TIMEOUT: "3"})
    found = Counter(re.findall(rb'\{process_name="(\w+)"', body))
    assert (status, found) == (200, {name.encode(): 2000 for name in good})
    assert merged.warnings().keys() == bad.keys()


@pytest.mark.alone
def test_nobody_waits_for_merges(stack: ExitStack, tmp_path: Path, exposed: list[str]) -> None:
    """While one merge of twenty targets follows the other, everybody else is answered within 20 ms."""
    merged = Merged(stack, tmp_path, {f"p{number:02d}": url for number, url in enumerate(exposed)})
    merged.get()
    load = [sys.executable, str(ROOT / "tests/benchmarks/httpload.py"), str(merged.hosted.port), "1", "2"]
    with subprocess.Popen(load, stdout=subprocess.PIPE) as asking:
        merges = 0
        while asking.poll() is None:
            merged.get()
            merges += 1
        assert asking.stdout is not None
        found = json.loads(asking.stdout.read())
    assert merges >= 3
    assert found["refused"] == 0
    # Nearly all of them come while a merge is at work; the slowest meet what else the machine does.
    assert found["p50_ms"] <= 20, found


def _asked(hosted: Hosted) -> int:
    return hosted.get("/prommerge")[0]
