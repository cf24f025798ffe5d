"""/metrics of a real procwrap with a hundred processes and everything that has metrics."""

from __future__ import annotations

import http.client
import statistics
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from procwrap.metrics.syntax import Syntax
from tests.support.hosted import Hosted, process
from tests.support.metrics import series
from tests.support.schedstat import scheduled
from tests.support.servers.targets import Target, answering
from tests.support.udp import UdpServer

pytestmark = [pytest.mark.integration, pytest.mark.alone, pytest.mark.usefixtures("nothing_left")]

PROCESSES = 100
MOST = 0.015
"""Seconds that a scrape may take."""
TARGET = b"# HELP jobs_total Jobs.\n# TYPE jobs_total counter\njobs_total 7\n"


def plan(url: str) -> list[dict[str, Any]]:
    """A hundred processes, each with a probe; ten of them have metrics of their own."""
    often = {"delay": "0s", "period": "1s", "file": {"path": "/"}}
    more = {"readiness": often, "memoryLimitMB": 500}
    return [
        process(f"p{number:03d}", "exec sleep 600", **more, **({"promTarget": url} if number < 10 else {}))
        for number in range(PROCESSES)
    ]


def get(port: int, path: str, accept: str = "*/*") -> str:
    """Ask over a connection of its own; return the body."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asking.request("GET", path, headers={"Accept": accept})
    body = asking.getresponse().read().decode()
    asking.close()
    return body


def promtool(text: str) -> list[str]:
    """What promtool has to say."""
    command = ["promtool", "check", "metrics"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=30)
    assert done.returncode in (0, 3), done.stderr
    return (done.stdout + done.stderr).splitlines()


def test_a_hundred_processes(tmp_path: Path) -> None:
    """A scrape costs at most 15 ms; promtool accepts both endpoints, and both formats say the same."""
    with ExitStack() as stack:
        target = stack.enter_context(Target(answering(TARGET)))
        events = {"METRICS_SERVER_ADDRESS": stack.enter_context(UdpServer()).address}
        hosted = stack.enter_context(Hosted(tmp_path, plan(target.url), (), events, http=True)).up()
        merged = get(hosted.port, "/prommerge")
        assert merged.count("jobs_total{") == 10
        assert promtool(merged) == []
        cpu, wall = [], []
        for _ in range(11):
            ran, waited = scheduled(hosted.process.pid)
            began = time.monotonic()
            text = get(hosted.port, "/metrics")
            took = time.monotonic() - began
            ran_then, waited_then = scheduled(hosted.process.pid)
            cpu.append(ran_then - ran)
            wall.append(took - (waited_then - waited))
        openmetrics = get(hosted.port, "/metrics", "application/openmetrics-text; version=1.0.0")
    assert text.count("procwrap_process_healthy{") == PROCESSES
    assert not [line for line in promtool(text) if not line.startswith("sidecar_cmd_")]
    assert series(openmetrics, Syntax.OPENMETRICS).keys() == series(text).keys()
    assert statistics.median(cpu) <= MOST, cpu
    assert min(wall) <= MOST, wall
