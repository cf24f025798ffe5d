"""What was asked of one process. All durations are seconds."""

from __future__ import annotations

import enum
import signal
from collections.abc import Mapping

from attrs import field, frozen

from procwrap.spec.graves import Graves
from procwrap.spec.hook import PostStart, PreStop
from procwrap.spec.lock import LockSpec
from procwrap.spec.logs import LogSpec
from procwrap.spec.pod import Birth
from procwrap.spec.probe import SECRET, Check, Pairs


class RestartPolicy(enum.Enum):
    """When a process that ended by itself is started again."""

    ALWAYS = "always"
    ON_FAILURE = "onFailure"
    NEVER = "never"


class AfterTooMany(enum.Enum):
    """What follows when a process was restarted too often."""

    IGNORE = "ignore"
    EXIT = "exit"


@frozen
class Backoff:
    """The pause before a restart: ``initial``, doubling up to ``maximum``.

    Attributes:
        reset: a process that ran longer than this starts again at once, and the series begins anew.
    """

    initial: float = 1.0
    maximum: float = 60.0
    reset: float = 60.0


@frozen
class MaxRestarts:
    """More than ``count`` restarts within ``period`` seconds: give up."""

    count: int = 5
    period: float = 300.0
    then: AfterTooMany = AfterTooMany.IGNORE


@frozen
class Restart:
    """Everything that decides what the end of a process leads to.

    Attributes:
        success_exit_codes: codes that count as success.
        vital: its end, for any reason, ends the whole.
        main: its end for good ends the whole, with its exit code.
        background: it serves the others: when none of those can run again, everything ends, and its exit code
            does not count.
    """

    policy: RestartPolicy = RestartPolicy.ALWAYS
    backoff: Backoff = Backoff()
    limit: MaxRestarts | None = None
    success_exit_codes: frozenset[int] = frozenset({0})
    vital: bool = False
    main: bool = False
    background: bool = False


@frozen
class Credential:
    """Whom the process runs as; names are looked up at each start."""

    uid: int | str | None = None
    gid: int | str | None = None
    groups: tuple[int | str, ...] | None = None


@frozen
class Attributes:
    """What the kernel is told about the process before it is executed (``sysProcAttr``).

    Attributes:
        pdeathsig: signal number the kernel sends it when procwrap dies (prctl(2)).
        rlimits: name of the resource in lower case without ``RLIMIT_`` to (soft, hard); -1 is unlimited.
    """

    credential: Credential = Credential()
    chroot: str | None = None
    setsid: bool = False
    pdeathsig: int | None = None
    umask: int | None = None
    nice: int | None = None
    oom_score_adj: int | None = None
    rlimits: Mapping[str, tuple[int, int]] = field(factory=dict)
    no_new_privs: bool = False


@frozen
class Stop:
    """How the process is asked to end.

    Attributes:
        signal: number of the stop signal.
        timeout: seconds from that signal to SIGKILL; None takes the graceful deadline.
    """

    signal: int = signal.SIGTERM
    timeout: float | None = None


class Condition(enum.Enum):
    """What a dependency must have reached."""

    STARTED = "started"
    READY = "ready"
    COMPLETED = "completed"


@frozen
class Dependency:
    """Start only after the process ``name`` has reached ``condition``."""

    name: str
    condition: Condition = Condition.READY


@frozen
class PromTarget:
    """Where a process shows its metrics."""

    # Tokens stand in queries.
    url: str = field(metadata=SECRET, repr=False)
    headers: Pairs = field(default=(), metadata=SECRET, repr=False)


@frozen
class ProcessSpec:
    """One process as asked for, with every default filled in.

    Attributes:
        entrypoint: path, or a name looked up in the process's own PATH.
        envs: added to procwrap's environment, in order.
        env_file: file of ``NAME=value`` lines read at every start; it wins over ``envs``.
        labels: added to its log records, in order; ``logs.labels`` are among them.
        graves: its tombstone, and those whose deaths are its end.
        birth: containers of our Pod that have to be ready before it starts.
        replica: index of this replica; its PROCWRAP_REPLICA is part of ``envs``.
        memory_limit: bytes of resident memory of the process and its descendants; more restarts it.
        prom_target: its metrics are part of /prommerge.
        lock: the shared lock that it needs before it starts, and while it runs.
        needs_permit: somebody outside has to agree before it starts.
        wrapped: the one command of ``procwrap -- command``; it inherits stdin, stdout and stderr.
    """

    name: str
    entrypoint: str
    args: tuple[str, ...] = ()
    directory: str | None = None
    envs: Pairs = field(default=(), metadata=SECRET, repr=False)
    env_file: str | None = None
    labels: Pairs = ()
    log: LogSpec = LogSpec()
    restart: Restart = Restart()
    attributes: Attributes = Attributes()
    stop: Stop = Stop()
    depends_on: tuple[Dependency, ...] = ()
    readiness: Check | None = None
    liveness: Check | None = None
    startup: Check | None = None
    post_start: PostStart | None = None
    pre_stop: PreStop | None = None
    memory_limit: int | None = None
    prom_target: PromTarget | None = None
    graves: Graves | None = None
    birth: Birth | None = None
    replica: int | None = None
    lock: LockSpec | None = None
    needs_permit: bool = False
    wrapped: bool = False
