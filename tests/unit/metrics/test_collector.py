from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from procwrap.core.events import RestartCause, StateChanged
from procwrap.core.lifecycle import State
from procwrap.core.preempted import Preempted, PreemptionRevoked, PreemptionWatched
from procwrap.metrics.family import FAMILIES
from procwrap.metrics.page import Page
from procwrap.metrics.syntax import Syntax
from tests.support.metrics import MIB, Told, everything, over, probed, restarting, started, used

# The names that dashboards know: name, type, labels.
SEED = {
    "sidecar_cmd_duration_seconds": ("gauge", {"process_name", "exit_code"}),
    "sidecar_cmd_readiness_count": ("counter", {"status", "process_name", "cmd"}),
    "sidecar_cmd_cpu_usage_seconds": ("counter", {"process_name"}),
    "sidecar_cmd_cpu_usage_seconds_gauge": ("gauge", {"process_name"}),
    "sidecar_cmd_memory_usage_bytes": ("gauge", {"process_name"}),
    "sidecar_cmd_heartbeat_period_seconds": ("gauge", {"process_name"}),
    "sidecar_metrics_merge_duration_seconds": ("histogram", set()),
}
SEED_BUCKETS = ["0.001", "0.005", "0.05", "0.1", "0.5", "1.0", "5.0", "10.0", "20.0", "50.0", "+Inf"]


def shown(text: str) -> dict[str, tuple[str, set[str]]]:
    """Read the families out of the text itself: name to type and labels."""
    types = dict(line.split()[2:4] for line in text.splitlines() if line.startswith("# TYPE"))
    labels: dict[str, set[str]] = {name: set() for name in types}
    for family in text_string_to_metric_families(text):
        name = family.name if family.name in types else f"{family.name}_total"
        labels[name] |= {label for sample in family.samples for label in sample.labels} - {"le"}
    return {name: (kind, labels[name]) for name, kind in types.items()}


def test_the_names_of_process_wrapper_are_kept() -> None:
    """Exactly as they were written there, with a TYPE line that matches: dashboards go on working."""
    text = everything().text()
    assert {name: found for name, found in shown(text).items() if name in SEED} == SEED
    buckets = [
        line for line in text.splitlines() if line.startswith("sidecar_metrics_merge_duration_seconds_b")
    ]
    assert [line.split('"')[1] for line in buckets] == SEED_BUCKETS


def test_every_family_is_what_it_is_declared_to_be() -> None:
    """Name, type and labels of everything, and every family comes up at least once here."""
    declared = {family.name: (family.kind, set(family.labels)) for family in FAMILIES}
    assert shown(everything().text()) == declared


@pytest.mark.parametrize("syntax", list(Syntax))
def test_the_reference_parser_reads_it(syntax: Syntax) -> None:
    """In both formats, with the same series in them."""
    assert everything().series(syntax) == everything().series(Syntax.TEXT)


def test_a_running_process() -> None:
    """What it uses, what its probes saw, and since when it runs."""
    told = Told(beats={"api": 2.5}).tell(*started(), probed(("tcp", True), ("http", False)), used(cpu=2.0))
    api = {"process_name": "api"}
    assert told.value("procwrap_process_state", **api, state="running") == 1
    assert told.value("procwrap_process_state", **api, state="waiting") == 0
    assert told.value("procwrap_process_healthy", **api) == 1
    assert told.value("procwrap_process_start_time_seconds", **api) == 2000.25
    assert told.value("procwrap_probe_result", **api, probe="tcp") == 1
    assert told.value("procwrap_probe_result", **api, probe="http") == 0
    assert told.value("procwrap_probe_duration_seconds_count", **api, probe="tcp") == 1
    assert told.value("sidecar_cmd_memory_usage_bytes", **api) == 10 * MIB
    assert told.value("sidecar_cmd_cpu_usage_seconds", **api) == 2.0
    assert told.value("sidecar_cmd_cpu_usage_seconds_gauge", **api) == 2.0
    assert told.value("sidecar_cmd_heartbeat_period_seconds", **api) == 2.5
    assert told.value("procwrap_process_threads", **api) == 4
    assert told.value("procwrap_process_open_fds", **api) == 9


def test_preemption() -> None:
    """Only where it is watched; 1 while the machine is about to go."""
    told = Told()
    assert "procwrap_preempted" not in told.text()
    assert "\nprocwrap_preempted 0\n" in told.tell(PreemptionWatched()).text()
    assert "\nprocwrap_preempted 1\n" in told.tell(Preempted("soon")).text()
    assert "\nprocwrap_preempted 0\n" in told.tell(PreemptionRevoked()).text()


def test_the_limit_of_memory() -> None:
    """Where there is one, whether the process runs or not, so that an alert can divide by it."""
    told = Told(("api", "job"), limits={"api": 512 * MIB})
    assert told.value("procwrap_process_memory_limit_bytes", process_name="api") == 512 * MIB
    assert told.value("procwrap_process_memory_limit_bytes", process_name="job") is None


def test_probes_of_one_type_share_a_series() -> None:
    """It is 1 only when all of them have succeeded, in whichever check."""
    told = Told().tell(
        *started(), probed(("tcp", True), ("tcp", True)), probed(("tcp", False), check="liveness")
    )
    assert told.value("procwrap_probe_result", process_name="api", probe="tcp") == 0
    told.tell(probed(("tcp", True), check="liveness"))
    assert told.value("procwrap_probe_result", process_name="api", probe="tcp") == 1


def test_nothing_but_counters_is_left_of_a_run() -> None:
    """A process that is gone uses nothing, and nothing is known of its health any more."""
    told = Told(beats={"api": 2.5}).tell(*started(), probed(("tcp", True)), used())
    before = {name for name, labels in told.series() if ("process_name", "api") in labels}
    told.tell(*over(code=3, ran_for=8.5, cpu=2.5))
    after = {name for name, labels in told.series() if ("process_name", "api") in labels}
    assert before - after == {
        "procwrap_probe_result",
        "procwrap_process_open_fds",
        "procwrap_process_start_time_seconds",
        "procwrap_process_threads",
        "sidecar_cmd_cpu_usage_seconds_gauge",
        "sidecar_cmd_heartbeat_period_seconds",
        "sidecar_cmd_memory_usage_bytes",
    }
    assert told.value("sidecar_cmd_cpu_usage_seconds", process_name="api") == 2.5
    assert told.value("sidecar_cmd_duration_seconds", process_name="api", exit_code="3") == 8.5
    assert told.value("procwrap_process_last_exit_code", process_name="api") == 3
    assert told.value("procwrap_process_healthy", process_name="api") == 0


def test_restarts_are_counted_by_cause() -> None:
    """Those for memory have a status of their own."""
    told = Told(commands={"api": "serve"})
    for cause, count in {RestartCause.EXIT: 3, RestartCause.PROBE: 2, RestartCause.OOM: 1}.items():
        told.tell(*[restarting(cause=cause)] * count)
    told.tell(*started(), probed(("tcp", True), ("tcp", False)), probed(("tcp", False)))
    reasons = {"exit": 3, "probe": 2, "oom": 1, "cannot start": 0}
    for reason, count in reasons.items():
        assert told.value("procwrap_process_restarts_total", process_name="api", reason=reason) == count
    for status, count in {"success": 1, "failed": 2, "restart": 5, "oom": 1}.items():
        labels = {"status": status, "process_name": "api", "cmd": "serve"}
        assert told.value("sidecar_cmd_readiness_count", **labels) == count


def test_ten_thousand_restarts_add_no_series() -> None:
    """Other pids, exit codes and durations replace the ones before."""
    told = Told()

    def run(number: int) -> None:
        told.tell(*started(pid=number), probed(("tcp", number % 2 == 0)), used(cpu=0.01))
        told.tell(
            *over(code=number % 256, ran_for=float(number), state=State.BACKOFF, cpu=0.02), restarting()
        )

    run(1)
    before = len(told.series())
    for number in range(2, 10_001):
        run(number)
    assert len(told.series()) == before
    assert told.value("sidecar_cmd_cpu_usage_seconds", process_name="api") == pytest.approx(200.0)


def test_the_host_is_a_process_of_its_own_name() -> None:
    """What procwrap itself uses stands beside the processes; a process with this name has it for itself."""
    told = Told(counts=[("api", "stdout", 5, 50)], dropped={"stdout": 2})
    host = {"process_name": "procwrap"}
    assert told.value("sidecar_cmd_memory_usage_bytes", **host) == 40 * MIB
    assert told.value("sidecar_cmd_cpu_usage_seconds", **host) == 1.5
    assert told.value("procwrap_process_start_time_seconds", **host) == 1000.5
    assert told.value("procwrap_log_lines_total", process_name="api", out="stdout") == 5
    assert told.value("procwrap_log_bytes_total", process_name="api", out="stdout") == 50
    assert told.value("procwrap_log_lines_dropped_total", sink="stdout") == 2
    namesake = Told(("procwrap",)).tell(*started("procwrap"), used("procwrap", cpu=9.0))
    assert namesake.value("sidecar_cmd_cpu_usage_seconds", **host) == 9.0


def test_what_became_of_events() -> None:
    """A series for each sink that there is, and each result."""
    told = Told(events={("udp", "sent"): 3, ("elasticsearch", "dropped"): 4})
    assert told.value("procwrap_events_sent_total", sink="udp", result="sent") == 3
    assert told.value("procwrap_events_sent_total", sink="elasticsearch", result="dropped") == 4
    assert "procwrap_events_sent_total" not in Told().text()


def test_a_target_that_is_gone_is_not_up_nor_down() -> None:
    """Until it runs again."""
    told = Told(("api", "job"), targets={"api": True, "job": False}).tell(*started("api"), *started("job"))
    assert told.value("procwrap_prommerge_target_up", process_name="api") == 1
    assert told.value("procwrap_prommerge_target_up", process_name="job") == 0
    told.tell(*over("job"))
    assert told.value("procwrap_prommerge_target_up", process_name="job") is None


def test_descriptors_that_may_not_be_counted_are_left_out() -> None:
    """Of processes of other users nobody may know how many files they have open."""
    told = Told().tell(*started(), used(files=None))
    assert told.value("procwrap_process_open_fds", process_name="api") is None
    assert told.value("procwrap_process_threads", process_name="api") == 4


def test_processes_come_from_one_moment() -> None:
    """What happens during the pauses is for the next scrape."""
    told = Told(("a", "b"))
    page = Page()
    for _ in told.collector.collect(page):
        told.tell(StateChanged("b", State.RUNNING, 0.0, 0.0))
    text = b"".join(page.write(Syntax.TEXT)).decode()
    assert 'procwrap_process_state{process_name="b",state="waiting"} 1' in text


def costs(told: Told) -> Iterator[float]:
    for _ in range(7):
        began = time.process_time()
        told.text()
        yield time.process_time() - began


def test_a_hundred_processes_cost_little() -> None:
    """CPU time of a scrape with everything on; 15 ms are allowed."""
    names = tuple(f"process-{number}" for number in range(100))
    command = "/usr/bin/something --with=words " * 6
    counts = [(name, out, 10, 100) for name in names for out in ("stdout", "stderr")]
    told = Told(names, dict.fromkeys(names, command), dict.fromkeys(names, 1.0), counts)
    for name in names:
        told.tell(*started(name), *over(name, cpu=1.0), *started(name))
        told.tell(probed(("http", True), ("tcp", False), name=name), used(name))
    assert min(costs(told)) < 0.015
