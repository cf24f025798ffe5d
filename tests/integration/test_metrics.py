"""/metrics of a real procwrap with a few processes, read by promtool and by the reference parsers."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from attrs import frozen

from procwrap.children.sampling import PERIOD
from procwrap.metrics.syntax import Syntax
from tests.support.hosted import Hosted, free_port, process, python
from tests.support.metrics import Series, series
from tests.support.plans import QUICK

pytestmark = pytest.mark.integration

MIB = 1024 * 1024
SECRET = "hunter2-hunter2"
BURNED, RUNS = 0.3, 4
"""CPU seconds of one run, and how many runs there are."""

SLEEP = "exec sleep 600"
BURNS = f"import time\nwhile time.process_time() < {BURNED}: pass"
GROWS = f"x = b'x' * {50 * MIB}; import time; time.sleep(600)"
TARGET = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"jobs 7\\n")
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", {port}), Answer).serve_forever()
"""


def look(command: str) -> dict[str, Any]:
    """Return a check that runs a command often and restarts nothing."""
    often = {"delay": "0s", "period": "200ms", "restartOnFailure": False}
    return {"exec": {"command": {"entrypoint": command}}, **often}


def plan(port: int) -> list[dict[str, Any]]:
    """Return processes of which each has something to show."""
    limit = {"count": RUNS - 1, "period": "5m"}
    seldom = {"initial": "2m", "max": "2m"}
    return [
        python("burns", BURNS, restartPolicy="always", maxRestarts=limit, restartBackoff=QUICK),
        python("grows", GROWS),
        python("greedy", GROWS, memoryLimitMB=30, restartPolicy="always", restartBackoff=seldom),
        process("talks", f"echo one; echo two; echo three >&2; {SLEEP}"),
        process("bad", SLEEP, readiness=look("false")),
        process("good", SLEEP, readiness=look("true")),
        process("crash", "exit 3"),
        process("secret", f"sleep 600; : {SECRET} --password={SECRET}", envs={"API_TOKEN": SECRET}),
        python("target", TARGET.replace("{port}", str(port)), promTarget=f"http://127.0.0.1:{port}/"),
    ]


@frozen
class Shown:
    """What was asked of one procwrap."""

    text: str
    openmetrics: str
    log: str
    asked: float
    """When, in seconds since the epoch."""

    def value(self, sample: str, **labels: str) -> float | None:
        """Return the value of the one series that has these labels, or None."""
        found = [value for key, value in self.series.items() if _matches(key, sample, labels)]
        assert len(found) < 2
        return found[0] if found else None

    @property
    def series(self) -> Series:
        """Return everything in the text format."""
        return series(self.text)


def _matches(key: tuple[str, frozenset[tuple[str, str]]], sample: str, labels: dict[str, str]) -> bool:
    return key[0] == sample and labels.items() <= dict(key[1]).items()


def get(hosted: Hosted, path: str, accept: str = "*/*", method: str = "GET") -> str:
    """Return the body of an answer."""
    address = f"http://127.0.0.1:{hosted.port}{path}"
    with urlopen(Request(address, headers={"Accept": accept}, method=method), timeout=10) as answer:
        return str(answer.read().decode())


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Run all of them until they were measured, and ask."""
    with Hosted(tmp_path_factory.mktemp("metrics"), plan(free_port()), http=True) as hosted:
        hosted.until(lambda: hosted.said("over the limit of 30 MiB"), PERIOD + 20)
        for _ in range(2):
            get(hosted, "/heartbeat?name=good", method="PATCH")
            time.sleep(0.2)
        hosted.until(lambda: 'jobs{process_name="target"} 7' in get(hosted, "/prommerge"))
        hosted.until(lambda: 'reason="oom"} 1' in get(hosted, "/metrics"))
        text = get(hosted, "/metrics")
        openmetrics = get(hosted, "/metrics", "application/openmetrics-text; version=1.0.0")
        yield Shown(text, openmetrics, hosted.told(), time.time())


def test_memory_of_a_known_size(shown: Shown) -> None:
    """A process that takes 50 MiB is shown with these and a little more."""
    found = shown.value("sidecar_cmd_memory_usage_bytes", process_name="grows")
    assert found is not None
    assert 50 * MIB < found < 80 * MIB
    assert shown.value("procwrap_process_memory_limit_bytes", process_name="greedy") == 30 * MIB
    assert shown.value("procwrap_process_memory_limit_bytes", process_name="grows") is None


def test_cpu_time_over_all_runs(shown: Shown) -> None:
    """Also of runs that were over long before the first measurement."""
    found = shown.value("sidecar_cmd_cpu_usage_seconds", process_name="burns")
    assert found is not None
    assert RUNS * BURNED * 0.95 <= found < RUNS * (BURNED + 0.5)
    assert shown.value("sidecar_cmd_cpu_usage_seconds_gauge", process_name="burns") is None


def test_restarts_and_their_causes(shown: Shown) -> None:
    """Those of a process that ended, and of one that was too large."""
    restarts = "procwrap_process_restarts_total"
    assert shown.value(restarts, process_name="burns", reason="exit") == RUNS - 1
    assert shown.value(restarts, process_name="greedy", reason="oom") == 1
    readiness = "sidecar_cmd_readiness_count"
    assert shown.value(readiness, process_name="burns", status="restart") == RUNS - 1
    assert shown.value(readiness, process_name="greedy", status="oom") == 1
    assert shown.value(readiness, process_name="greedy", status="restart") == 0


def test_what_probes_saw(shown: Shown) -> None:
    """Each of them is counted and timed."""
    for name, status, other, result in (("bad", "failed", "success", 0), ("good", "success", "failed", 1)):
        count = shown.value("sidecar_cmd_readiness_count", process_name=name, status=status)
        assert count is not None
        assert count >= 5
        assert shown.value("sidecar_cmd_readiness_count", process_name=name, status=other) == 0
        assert shown.value("procwrap_probe_duration_seconds_count", process_name=name, probe="exec") == count
        assert shown.value("procwrap_probe_result", process_name=name, probe="exec") == result
        assert shown.value("procwrap_process_healthy", process_name=name) == result


def test_ends(shown: Shown) -> None:
    """The last one of each process that has ended, and no word of those that go on."""
    took = shown.value("sidecar_cmd_duration_seconds", process_name="crash", exit_code="3")
    assert took is not None
    assert 0 < took < 5
    assert shown.value("procwrap_process_last_exit_code", process_name="crash") == 3
    assert shown.value("procwrap_process_state", process_name="crash", state="exited") == 1
    assert shown.value("sidecar_cmd_duration_seconds", process_name="grows") is None
    assert shown.value("procwrap_process_start_time_seconds", process_name="crash") is None
    began = shown.value("procwrap_process_start_time_seconds", process_name="grows")
    assert began is not None
    assert 0 < shown.asked - began < 60


def test_output_and_heartbeats(shown: Shown) -> None:
    """Lines and bytes as the process wrote them; the time between two heartbeats."""
    assert shown.value("procwrap_log_lines_total", process_name="talks", out="stdout") == 2
    assert shown.value("procwrap_log_bytes_total", process_name="talks", out="stdout") == len("one\ntwo\n")
    assert shown.value("procwrap_log_lines_total", process_name="talks", out="stderr") == 1
    assert shown.value("procwrap_log_lines_dropped_total", sink="stdout") == 0
    period = shown.value("sidecar_cmd_heartbeat_period_seconds", process_name="good")
    assert period is not None
    assert 0.2 <= period < 2


def test_the_host_itself(shown: Shown) -> None:
    """Its own memory, not that of its processes; how punctual it is; what it is."""
    memory = shown.value("sidecar_cmd_memory_usage_bytes", process_name="procwrap")
    assert memory is not None
    assert 20 * MIB < memory < 120 * MIB
    delays = shown.value("procwrap_reactor_delay_seconds_count")
    assert delays is not None
    assert delays >= 1
    assert shown.value("procwrap_build_info") == 1


def test_what_was_merged(shown: Shown) -> None:
    """The target answered, and merging was timed."""
    assert shown.value("procwrap_prommerge_target_up", process_name="target") == 1
    merges = shown.value("sidecar_metrics_merge_duration_seconds_count")
    assert merges is not None
    assert merges >= 1


def test_no_secret_is_shown(shown: Shown) -> None:
    """Neither here nor in the log."""
    assert SECRET not in shown.text + shown.openmetrics + shown.log
    assert "sleep 600; : *** --password=***" in shown.text


def test_both_formats_say_the_same(shown: Shown) -> None:
    """The reference parser reads the same series out of both."""
    assert series(shown.openmetrics, Syntax.OPENMETRICS).keys() == shown.series.keys()


def test_promtool_accepts_it(shown: Shown) -> None:
    """It has remarks on the names that are kept, and on nothing else."""
    command = ["promtool", "check", "metrics"]
    done = subprocess.run(command, input=shown.text, capture_output=True, text=True, timeout=30)
    remarks = (done.stdout + done.stderr).splitlines()
    assert not [line for line in remarks if not line.startswith("sidecar_cmd_")], remarks
    # 3 is what promtool ends with after mere remarks.
    assert done.returncode == 3
