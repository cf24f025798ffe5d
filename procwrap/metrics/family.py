"""The families of procwrap's own metrics: what docs/reference/metrics.md lists."""

from __future__ import annotations

from attrs import frozen

from procwrap.metrics.syntax import Syntax

COUNTER, GAUGE, HISTOGRAM, UNKNOWN = "counter", "gauge", "histogram", "unknown"
TOTAL = "_total"
NAME = "process_name"


@frozen
class Family:
    """One family.

    Attributes:
        kind: its type in the text format.
        labels: in the order in which they are written, ``le`` of histograms left out.
        meaning: its HELP, one line.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str

    def head(self, syntax: Syntax) -> str:
        """Return the lines before its samples.

        OpenMetrics wants the samples of a counter to end in ``_total``. Those of the names that are kept
        from process-wrapper do not, so they are of unknown type there; Prometheus treats them the same.
        """
        name, kind = self.name, self.kind
        if syntax is Syntax.OPENMETRICS and kind == COUNTER:
            name, kind = (name.removesuffix(TOTAL), kind) if name.endswith(TOTAL) else (name, UNKNOWN)
        return f"# HELP {name} {self.meaning}\n# TYPE {name} {kind}\n"


# The names of process-wrapper, so that its dashboards go on working.
CMD_DURATION = Family(
    "sidecar_cmd_duration_seconds", GAUGE, (NAME, "exit_code"), "How long the last run that has ended lasted."
)
CMD_READINESS = Family(
    "sidecar_cmd_readiness_count",
    COUNTER,
    ("status", NAME, "cmd"),
    "Probes that succeeded and failed, restarts, and restarts for using too much memory.",
)
CMD_CPU = Family(
    "sidecar_cmd_cpu_usage_seconds", COUNTER, (NAME,), "CPU time with all descendants, summed over restarts."
)
CMD_CPU_NOW = Family(
    "sidecar_cmd_cpu_usage_seconds_gauge", GAUGE, (NAME,), "CPU time of the current run with all descendants."
)
CMD_MEMORY = Family(
    "sidecar_cmd_memory_usage_bytes", GAUGE, (NAME,), "Resident memory of a process and all its descendants."
)
CMD_HEARTBEAT = Family(
    "sidecar_cmd_heartbeat_period_seconds", GAUGE, (NAME,), "Time between the last two heartbeats."
)
CMD_LOCK = Family(
    "sidecar_cmd_acquire_lock_total",
    COUNTER,
    ("status", NAME, "cmd"),
    "Questions for the shared lock of a process: it was got, it is another's, or nobody could tell.",
)
MERGE_DURATION = Family(
    "sidecar_metrics_merge_duration_seconds", HISTOGRAM, (), "How long answering /prommerge took."
)

# Our own.
STATE = Family(
    "procwrap_process_state",
    GAUGE,
    (NAME, "state"),
    "1 for the state that a process is in, 0 for the others.",
)
HEALTHY = Family(
    "procwrap_process_healthy", GAUGE, (NAME,), "1 when nothing is wrong with a process, as in /status."
)
START_TIME = Family(
    "procwrap_process_start_time_seconds",
    GAUGE,
    (NAME,),
    "When the current run began, in seconds since the epoch.",
)
RESTARTS = Family(
    "procwrap_process_restarts_total", COUNTER, (NAME, "reason"), "How often a process was started again."
)
LAST_EXIT_CODE = Family(
    "procwrap_process_last_exit_code",
    GAUGE,
    (NAME,),
    "Exit code of the last run that has ended, 128 + N when signal N ended it.",
)
THREADS = Family("procwrap_process_threads", GAUGE, (NAME,), "Threads of a process and all its descendants.")
OPEN_FDS = Family(
    "procwrap_process_open_fds", GAUGE, (NAME,), "Open descriptors of a process and all its descendants."
)
MEMORY_LIMIT = Family(
    "procwrap_process_memory_limit_bytes",
    GAUGE,
    (NAME,),
    "How much resident memory a process may hold; more restarts it.",
)
LOCK_HELD = Family("procwrap_lock_held", GAUGE, (NAME,), "1 while the shared lock of a process is held.")
PROBE_DURATION = Family(
    "procwrap_probe_duration_seconds", HISTOGRAM, (NAME, "probe"), "How long probes took, by type."
)
PROBE_RESULT = Family(
    "procwrap_probe_result", GAUGE, (NAME, "probe"), "1 when all probes of a type succeeded the last time."
)
LOG_LINES = Family(
    "procwrap_log_lines_total", COUNTER, (NAME, "out"), "Lines that a process and its hooks have written."
)
LOG_BYTES = Family(
    "procwrap_log_bytes_total", COUNTER, (NAME, "out"), "Bytes that a process and its hooks have written."
)
LOG_DROPPED = Family(
    "procwrap_log_lines_dropped_total", COUNTER, ("sink",), "Records that could not be delivered."
)
EVENTS_SENT = Family(
    "procwrap_events_sent_total",
    COUNTER,
    ("sink", "result"),
    "Events that were sent, that the server refused, and that were dropped before they could be sent.",
)
REACTOR_DELAY = Family("procwrap_reactor_delay_seconds", HISTOGRAM, (), "How late a timer of procwrap fires.")
TARGET_UP = Family(
    "procwrap_prommerge_target_up", GAUGE, (NAME,), "1 when the last /prommerge got the metrics of a process."
)
PREEMPTED = Family(
    "procwrap_preempted",
    GAUGE,
    (),
    "1 when this machine is about to be taken away; only where that is watched.",
)
BUILD_INFO = Family(
    "procwrap_build_info", GAUGE, ("version", "python", "twisted"), "Always 1; the versions are its labels."
)

FAMILIES = (
    CMD_DURATION,
    CMD_READINESS,
    CMD_CPU,
    CMD_CPU_NOW,
    CMD_MEMORY,
    CMD_HEARTBEAT,
    CMD_LOCK,
    MERGE_DURATION,
    STATE,
    HEALTHY,
    START_TIME,
    RESTARTS,
    LAST_EXIT_CODE,
    THREADS,
    OPEN_FDS,
    MEMORY_LIMIT,
    LOCK_HELD,
    PROBE_DURATION,
    PROBE_RESULT,
    LOG_LINES,
    LOG_BYTES,
    LOG_DROPPED,
    EVENTS_SENT,
    REACTOR_DELAY,
    TARGET_UP,
    PREEMPTED,
    BUILD_INFO,
)
"""In the order in which they are written."""
