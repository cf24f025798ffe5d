"""One record a probe type, and the check that groups probes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import field, frozen

Pairs = tuple[tuple[str, str], ...]

SECRET = {"secret": True}
"""attrs metadata of a field whose value must never be shown."""
SECRET_WORDS = r"pass|pwd|secret|token|key|auth|cred|session|signature|dsn|jwt|cookie|bearer"
"""Regular expression, in any case: what a parameter, key or variable is called that holds a secret."""


def _without_query(url: str) -> str:
    return repr(url.partition("?")[0])


@frozen
class HttpProbe:
    """GET (or another method) a URL and look at the status."""

    # Tokens stand in queries.
    url: str = field(repr=_without_query)
    headers: Pairs = field(default=(), metadata=SECRET, repr=False)
    method: str = "GET"
    statuses: tuple[tuple[int, int], ...] = ((200, 399),)
    timeout: float = 2.0


@frozen
class TcpProbe:
    """Open a TCP connection and close it again."""

    host: str
    port: int
    timeout: float = 2.0


@frozen
class ExecProbe:
    """Run a command with the process's environment, user and directory; exit 0 is success."""

    entrypoint: str
    args: tuple[str, ...] = ()
    envs: Pairs = field(default=(), metadata=SECRET, repr=False)
    timeout: float = 30.0


@frozen
class FileProbe:
    """Look whether a path exists."""

    path: str


@frozen
class EnvProbe:
    """Look whether the process's environment has this value."""

    name: str
    value: str = field(metadata=SECRET, repr=False)


@frozen
class FloatingPidProbe:
    """Fail while the process was started more than ``threshold`` times in the last ``period`` seconds."""

    period: float = 10.0
    threshold: int = 1


@frozen
class HeartBeatProbe:
    """Fail when no heartbeat came within the last ``period`` seconds."""

    period: float


@frozen
class SqlProbe:
    """Connect to a database and ask every query.

    Attributes:
        queries: what is asked, in order; none asks only whether the server answers.
        contains: each must be in the first column of the rows of every query.
        dsn: where to connect and as whom; None takes it from the process's environment.
    """

    queries: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    dsn: str | None = field(default=None, metadata=SECRET, repr=False)
    timeout: float = 5.0


@frozen
class AmqpProbe:
    """Open an AMQP connection.

    Attributes:
        reuse_connection: keep it, and succeed while it is open.
        dsn: where to connect and as whom; None takes it from the process's environment.
    """

    reuse_connection: bool = False
    dsn: str | None = field(default=None, metadata=SECRET, repr=False)
    timeout: float = 5.0


@frozen
class GrpcProbe:
    """Ask grpc.health.v1 whether a service is SERVING; the empty name means the whole server."""

    host: str
    port: int
    service: str = ""
    timeout: float = 2.0


@frozen
class NotifyProbe:
    """Wait for what the process itself says.

    Attributes:
        watchdog: seconds within which it has to say WATCHDOG=1 again; None asks for READY=1 only.
        fd: descriptor on which it writes a line when it is ready, instead of using the socket.
    """

    watchdog: float | None = None
    fd: int | None = None


@frozen
class LockProbe:
    """Look whether the shared lock is held that the process got before it started.

    Attributes:
        ttl: seconds that it is kept for a holder that is not heard of.
    """

    ttl: float


@frozen
class PluginProbe:
    """A probe of an installed package (entry point group ``procwrap.probes``).

    Attributes:
        key: its name in the group and in the config.
        factory: the class; it was imported to read its settings, and is called with them and a context.
        settings: what its class made of the settings; shown by nobody.
        secrets: texts of the settings that must not be seen in what it says.
    """

    key: str
    factory: Callable[[Any, Any], Any]
    settings: object = field(metadata=SECRET, repr=False)
    timeout: float = 5.0
    secrets: tuple[str, ...] = field(default=(), metadata=SECRET, repr=False)


Probe = (
    HttpProbe
    | TcpProbe
    | ExecProbe
    | FileProbe
    | EnvProbe
    | FloatingPidProbe
    | HeartBeatProbe
    | SqlProbe
    | AmqpProbe
    | GrpcProbe
    | NotifyProbe
    | LockProbe
    | PluginProbe
)


@frozen
class Check:
    """When probes run and what their results mean. All durations are seconds.

    Attributes:
        delay: from the start of the process to the first round.
        period: from the end of a round to the next.
        startup_deadline: until the process was healthy for the first time, failed rounds within this
            time of its start do not count.
        restart_on_failure: False leaves an unhealthy process alone.
        unhealthy_threshold: so many failed rounds in a row make a healthy process unhealthy.
    """

    probes: tuple[Probe, ...]
    delay: float = 5.0
    period: float = 5.0
    failure_threshold: int = 3
    success_threshold: int = 1
    startup_deadline: float = 0.0
    restart_on_failure: bool = True
    unhealthy_threshold: int = 1
