"""The whole of what was asked: the Plan from the config, the Settings from every source."""

from __future__ import annotations

import enum
from collections.abc import Callable

from attrs import field, frozen

from procwrap.spec.control import Control
from procwrap.spec.envoy import Envoy
from procwrap.spec.events import Elasticsearch, EventLabels, UdpEvents
from procwrap.spec.graves import Graves
from procwrap.spec.lock import DEFAULT_URL
from procwrap.spec.logs import LogFormat
from procwrap.spec.loki import Loki
from procwrap.spec.pod import Birth, InCluster, OwnPod
from procwrap.spec.preemption import Preemption
from procwrap.spec.probe import SECRET, Pairs
from procwrap.spec.process import ProcessSpec
from procwrap.spec.profiling import Profiling
from procwrap.spec.quitting import Quitting

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
        control: who may control procwrap.
        labels: labels of everything's log records; those of the processes hold them already.
        deadline: seconds from the stop signal to SIGKILL.
        events_udp: host and port of the server that takes events.
        elasticsearch: the server that keeps them.
        loki: the server that keeps log records.
        skipped: names of the processes that were left out on demand, in the order of the config.
        warnings: what is allowed but worth saying, each one line.
        ignored: what of a config of another dialect has no meaning here, each one line with its place.
    """

    processes: tuple[ProcessSpec, ...]
    dialect: str = "native"
    socket: str | None = None
    control: Control = Control()
    log_format: LogFormat | None = None
    labels: tuple[tuple[str, str], ...] = ()
    deadline: float | None = None
    readiness_file: str | None = None
    readiness_follow: bool = False
    liveness: LivenessRule = LivenessRule.HEALTHY
    events_udp: tuple[str, int] | None = None
    elasticsearch: Elasticsearch | None = None
    loki: Loki | None = None
    skipped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


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
        control: who may control procwrap, and how.
        reap_group: end what a wrapped command left of its process group.
        profiling: the server that takes the profiles of procwrap itself, if they are to be made.
        pod: our Pod, when something has to be known about it.
        shared_lock_url: of the server that processes with a lock ask; a user and password may stand in it.
    """

    debug: bool = False
    graceful_deadline: float | None = 10.0
    readiness_file: str | None = DEFAULT_READINESS_FILE
    readiness_follow: bool = False
    socket: str | None = DEFAULT_SOCKET
    control: Control = Control()
    log_format: LogFormat = LogFormat.LOGFMT
    labels: tuple[tuple[str, str], ...] = ()
    liveness: LivenessRule = LivenessRule.HEALTHY
    reap_group: bool = True
    prommerge: MergeSettings = MergeSettings()
    events_udp: UdpEvents | None = None
    elasticsearch: Elasticsearch | None = None
    event_labels: EventLabels = EventLabels()
    loki: Loki | None = None
    profiling: Profiling | None = None
    preemption: Preemption | None = None
    envoy: Envoy = Envoy()
    quitting: Quitting = Quitting()
    pod: OwnPod | None = None
    shared_lock_url: str = field(default=DEFAULT_URL, metadata=SECRET, repr=False)


AskAgain = Callable[[], tuple[Plan, Settings]]
"""Finds out what is asked for by then; blocks."""


@frozen
class Given:
    """What one source (command line or environment) says; None where it says nothing.

    Attributes:
        command: the command to wrap, after ``--``; empty when a config is to be run.
        config: path of the config file, ``-`` for standard input.
        config_text: the config itself (the ``CONFIG`` variable).
        events_udp: host and port of the server that takes events.
        elasticsearch_url: of the server that keeps them; a user and password may stand in it.
        elasticsearch_api_key: who we are to that server.
        loki_url: that log records are posted to; a user and password may stand in it.
        loki_tenant: whose they are.
        event_labels: on every event.
        event_labels_file: a file of further ones, of which ``event_labels_exclude`` are left out.
        graves: what kubexit's variables say about tombstones, for a wrapped command.
        birth: what they say about containers that have to be ready before it starts, likewise.
        cluster: what every container is told about its Pod.
        handle_termination: end when another container of the Pod has completed.
        wait_sidecars: start only when all other containers are ready.
        kubexit_grace: seconds from the stop signal to SIGKILL, for such a command.
        preemption: who knows whether this machine goes.
        envoy: what scuttle's variables say; it is drained only where ``envoy_drain`` is set.
        envoy_wait: Envoy's admin interface, which has to say LIVE.
        envoy_quit: where Envoy is told to quit.
        shutdown_http_get: asked at the end, as ``shutdown_http_post`` and ``quit_endpoints`` are.
        shutdown_kill: executables that are sent SIGTERM then.
        shared_lock_url: of the lock server that processes with a lock ask.
        shared_lock: be a lock server; those that begin with ``lock_`` are its settings.
        control_socket: path of the control socket; empty for none.
        runtime_directory: where it is when nobody says anything else.
        api_token: of whoever may control procwrap.
        api_token_file: a file that holds it.
        secrets_dir: the directory with the secrets and config maps that a manifest refers to.
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
    elasticsearch_url: str | None = field(default=None, metadata=SECRET, repr=False)
    elasticsearch_api_key: str | None = field(default=None, metadata=SECRET, repr=False)
    loki_url: str | None = field(default=None, metadata=SECRET, repr=False)
    loki_tenant: str | None = None
    event_labels: Pairs | None = None
    event_labels_file: str | None = None
    event_labels_exclude: tuple[str, ...] | None = None
    profiling: Profiling | None = None
    graves: Graves | None = None
    birth: Birth | None = None
    cluster: InCluster = InCluster()
    handle_termination: bool | None = None
    wait_sidecars: bool | None = None
    kubexit_grace: float | None = None
    preemption: Preemption | None = None
    envoy: Envoy | None = None
    envoy_drain: bool | None = None
    envoy_wait: str | None = field(default=None, metadata=SECRET, repr=False)
    envoy_quit: str | None = field(default=None, metadata=SECRET, repr=False)
    shutdown_http_get: tuple[str, ...] | None = field(default=None, metadata=SECRET, repr=False)
    shutdown_http_post: tuple[str, ...] | None = field(default=None, metadata=SECRET, repr=False)
    quit_endpoints: tuple[str, ...] | None = field(default=None, metadata=SECRET, repr=False)
    shutdown_kill: tuple[str, ...] | None = None
    shutdown_kill_all: bool | None = None
    shared_lock_url: str | None = field(default=None, metadata=SECRET, repr=False)
    shared_lock: bool | None = None
    lock_store: str | None = None
    lock_longest_ttl: float | None = None
    lock_etcd_tls: bool | None = None
    control_socket: str | None = None
    runtime_directory: str | None = None
    api_token: str | None = field(default=None, metadata=SECRET, repr=False)
    api_token_file: str | None = None
    secrets_dir: str | None = None
    pod: str | None = None
    namespace: str | None = None
    node: str | None = None
