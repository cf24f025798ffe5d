"""memoryLimitMB with real processes that grow, and what it costs to measure them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from procwrap.children.sampling import PERIOD
from procwrap.children.usage import UsageReader
from tests.support.hosted import Hosted, python
from tests.support.plans import SERVE, restarted
from tests.support.procfs import eventually, signal_group

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

LIMIT = 60
"""MiB; Python itself takes about 10."""

GROWS = "import time; x = b'x' * 100_000_000; print('grown', flush=True); time.sleep(600)"
"""Takes 100 MB at once and keeps them."""

GRANDCHILD = f"""
import os, sys, time
if os.fork() == 0:
    if os.fork() == 0:
        {GROWS}
    os._exit(0)
os.wait()
time.sleep(600)
"""
"""A child's child whose parent ends takes them: it is nobody's child any more, but of the same group."""

OTHER_GROUP = f"""
import signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {GROWS!r}], process_group=0)
signal.signal(signal.SIGTERM, lambda *_: (child.kill(), child.wait(), sys.exit(1)))
child.wait()
"""
"""A child in a group of its own takes them."""

NAMED = f"""
open('/proc/self/comm', 'w').write(') R 1 1 (')
{GROWS}
"""
"""Takes them under a name that looks like the fields behind it."""

POLITE = f"""
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(0)))
{GROWS}
"""
"""Takes them, and ends well when it is told to."""


def limited(name: str, code: str, **settings: Any) -> dict[str, Any]:
    """Return the config of a process with a memory limit, restarted seldom enough to be counted."""
    backoff = {"initial": "2m", "max": "2m"}
    return python(name, code, memoryLimitMB=LIMIT, restartBackoff=backoff, **settings)


def test_whoever_grows_is_restarted(tmp_path: Path) -> None:
    """Leader, orphaned grandchild, child in another group, odd names; each once, with the cause told."""
    always = {"restartPolicy": "always"}
    plan = [
        limited("leader", GROWS, **always),
        limited("grandchild", GRANDCHILD, **always),
        limited("group", OTHER_GROUP, **always),
        limited("named", NAMED, **always),
        limited("failure", POLITE, restartPolicy="onFailure", preStop={"sleep": "100ms"}),
        limited("never", POLITE, restartPolicy="never"),
        limited("small", "import time; time.sleep(600)", **always),
        python("unlimited", GROWS),
        restarted("other", SERVE),
    ]
    again = {"leader", "grandchild", "group", "named", "failure"}
    with Hosted(tmp_path, plan, http=True) as hosted:
        hosted.until(lambda: len(hosted.said("over the limit of 60 MiB")) >= 12)
        hosted.until(lambda: len(hosted.said("^restarts")) >= len(again))
        hosted.until(lambda: hosted.said("exit code 0"))
        restarts = {r["process"]: r["cause"] for r in hosted.records() if r["msg"].startswith("restarts")}
        assert restarts == dict.fromkeys(again, "oom")
        errors = [r for r in hosted.records() if r["level"] == "error"]
        assert {r["process"] for r in errors} == again | {"never"}
        assert all(95 < float(r["msg"].split()[1]) < 150 for r in errors), errors
        shown = hosted.get("/status?full")[1]
        assert (shown["leader"]["state"], shown["leader"]["restartsBy"]) == ("backoff", {"oom": 1})
        assert shown["never"]["state"] == "exited"
        assert hosted.lines("failure") == ["grown", "bye"]
        assert len(hosted.pids_of("small")) == len(hosted.pids_of("unlimited")) == 1
        assert hosted.end() == 0


@pytest.fixture
def hundred() -> Iterator[list[int]]:
    """A hundred process groups of two processes each."""
    script = "sleep 600 & wait"
    started = [subprocess.Popen(["/bin/sh", "-c", script], process_group=0) for _ in range(100)]
    try:
        yield [process.pid for process in started]
    finally:
        for process in started:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()


def test_measuring_a_hundred_processes_costs_next_to_nothing(hundred: list[int]) -> None:
    """Less than 1 % of a core, psutil's import aside: two hundred processes in a hundred trees."""
    reader = UsageReader()
    eventually(lambda: all(usage.processes == 2 for usage in reader.read(hundred).values()))
    costs = []
    for _ in range(5):
        began = time.thread_time()
        assert len(reader.read(hundred)) == 100
        costs.append(time.thread_time() - began)
    share = sorted(costs)[2] / PERIOD
    took = sorted(costs)[2] * 1e3
    sys.stderr.write(f"a measurement of 100 trees takes {took:.1f} ms, {share:.2%} of a core\n")
    assert share < 0.01
