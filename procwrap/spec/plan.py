"""The whole of what was asked: the Plan from the config, the Settings from every source."""

from __future__ import annotations

import enum

from attrs import field, frozen

from procwrap.spec.events import UdpEvents
from procwrap.spec.logs import LogFormat
from procwrap.spec.probe import Pairs
from procwrap.spec.process import ProcessSpec

DEFAULT_SOCKET = ":8111"
DEFAULT_READINESS_FILE = "/tmp/started"
DEFAULT_WAIT_DEADLINE = 120.0


class LivenessRule(enum.Enum):
    """Which processes make /liveness answer 503."""

    HEALTHY = "healthy"
    STUCK = "stuck"


@frozen
class Plan:
    """What the config file asks for; None where it says nothing, so that a default can apply.

    Attributes:
        dialect: the config dialect that was recognised.
        socket: where HTTP is served.
        labels: labels of everything's log records; those of the processes hold them already.
        deadline: seconds from the stop signal to SIGKILL.
        events_udp: host and port of the server that takes events.
        skipped: names of the processes that were left out on demand, in the order of the config.
        warnings: what is allowed but worth saying, each one line.
    """

    processes: tuple[ProcessSpec, ...]
    dialect: str = "native"
    socket: str | None = None
    log_format: LogFormat | None = None
    labels: tuple[tuple[str, str], ...] = ()
    deadline: float | None = None
    readiness_file: str | None = None
    readiness_follow: bool = False
    liveness: LivenessRule = LivenessRule.HEALTHY
    events_udp: tuple[str, int] | None = None
    skipped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@frozen
class MergeSettings:
    """How /prommerge merges.

    Attributes:
        empty_on_failure: one failing target empties the result.
        concurrent: ask the targets at the same time.
        sort: sort families and samples.
        omit_meta: leave out what is said about families.
        suppress_errors: do not log failing targets.
    """

    empty_on_failure: bool = False
    concurrent: bool = True
    sort: bool = True
    omit_meta: bool = False
    suppress_errors: bool = False


@frozen
class Settings:
    """What holds for the whole host after command line, environment, config and defaults were merged.

    Attributes:
        graceful_deadline: seconds from the stop signal to SIGKILL; None (a wrapped command) is never.
        readiness_file: None for a wrapped command, unless one was asked for.
        socket: where HTTP is served, or None for no HTTP.
        reap_group: end what a wrapped command left of its process group.
    """

    debug: bool = False
    graceful_deadline: float | None = 10.0
    readiness_file: str | None = DEFAULT_READINESS_FILE
    readiness_follow: bool = False
    socket: str | None = DEFAULT_SOCKET
    log_format: LogFormat = LogFormat.LOGFMT
    labels: tuple[tuple[str, str], ...] = ()
    liveness: LivenessRule = LivenessRule.HEALTHY
    reap_group: bool = True
    prommerge: MergeSettings = MergeSettings()
    events_udp: UdpEvents | None = None


@frozen
class Given:
    """What one source (command line or environment) says; None where it says nothing.

    Attributes:
        command: the command to wrap, after ``--``; empty when a config is to be run.
        config: path of the config file, ``-`` for standard input.
        config_text: the config itself (the ``CONFIG`` variable).
        events_udp: host and port of the server that takes events.
        event_labels: on every event.
        event_labels_file: a file of further ones, of which ``event_labels_exclude`` are left out.
        pod: the name of this Pod.
    """

    config: str | None = None
    config_text: str | None = field(default=None, repr=False)
    command: tuple[str, ...] = ()
    debug: bool | None = None
    graceful_shutdown_deadline: float | None = None
    readiness_file: str | None = None
    skip_commands: tuple[str, ...] | None = None
    http: bool | None = None
    socket: str | None = None
    log_format: LogFormat | None = None
    reap_group: bool | None = None
    version: bool | None = None
    wait: bool | None = None
    wait_deadline: float | None = None
    prommerge_empty_on_failure: bool | None = None
    prommerge_async: bool | None = None
    prommerge_sort: bool | None = None
    prommerge_omit_meta: bool | None = None
    prommerge_suppress_errors: bool | None = None
    events_udp: tuple[str, int] | None = None
    event_labels: Pairs | None = None
    event_labels_file: str | None = None
    event_labels_exclude: tuple[str, ...] | None = None
    pod: str | None = None
    namespace: str | None = None
    node: str | None = None
