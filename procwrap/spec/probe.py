"""One record a probe type, and the check that groups probes."""

from __future__ import annotations

from attrs import field, frozen

Pairs = tuple[tuple[str, str], ...]

SECRET = {"secret": True}
"""attrs metadata of a field whose value must never be shown."""


@frozen
class HttpProbe:
    """GET (or another method) a URL and look at the status."""

    url: str
    headers: Pairs = field(default=(), metadata=SECRET)
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
    envs: Pairs = field(default=(), metadata=SECRET)
    timeout: float = 30.0


@frozen
class FileProbe:
    """Look whether a path exists."""

    path: str


@frozen
class EnvProbe:
    """Look whether the process's environment has this value."""

    name: str
    value: str = field(metadata=SECRET)


@frozen
class FloatingPidProbe:
    """Fail while the process was started more than ``threshold`` times in the last ``period`` seconds."""

    period: float = 10.0
    threshold: int = 1


@frozen
class HeartBeatProbe:
    """Fail when no heartbeat came within the last ``period`` seconds."""

    period: float


Probe = HttpProbe | TcpProbe | ExecProbe | FileProbe | EnvProbe | FloatingPidProbe | HeartBeatProbe


@frozen
class Check:
    """When probes run and what their results mean. All durations are seconds.

    Attributes:
        delay: from the start of the process to the first round.
        period: from the end of a round to the next.
        startup_deadline: until the process was healthy for the first time, failed rounds within this
            time of its start do not count.
        restart_on_failure: False leaves an unhealthy process alone.
    """

    probes: tuple[Probe, ...]
    delay: float = 5.0
    period: float = 5.0
    failure_threshold: int = 3
    success_threshold: int = 1
    startup_deadline: float = 0.0
    restart_on_failure: bool = True
