"""Frozen records of what happened; everything outward (log, HTTP, metrics, sinks) reads these.

Times called ``at`` are seconds of the reactor's monotonic clock, ``wall`` are seconds since the epoch.
"""

from __future__ import annotations

import enum
import signal
from collections.abc import Mapping

from attrs import frozen

from procwrap.core.lifecycle import State
from procwrap.core.limits import Usage
from procwrap.core.locks import LockEvent
from procwrap.core.preempted import MachineEvent
from procwrap.core.reloads import ReloadEvent


class Level(enum.Enum):
    """Severity of a message, as logs.md names them."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"


@frozen
class End:
    """How a process ended: by a code, by a signal, or (``reason``) by never having begun."""

    code: int | None = None
    signal: int | None = None
    reason: str = ""

    @property
    def exit_code(self) -> int:
        """The code a shell would report: the process's own, or 128 + N when signal N ended it."""
        return 128 + self.signal if self.signal is not None else self.code or 0

    def __str__(self) -> str:
        if self.reason:
            return self.reason
        if self.signal is not None:
            return f"ended by {signal_name(self.signal)}"
        return f"exit code {self.code}"


def signal_name(number: int) -> str:
    """Return ``SIGTERM`` for 15, ``signal 40`` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@frozen
class Declared:
    """These processes belong to the plan, in its order, and no others."""

    names: tuple[str, ...]


@frozen
class StateChanged:
    """A process moved in its lifecycle; ``reason`` says why, for people."""

    name: str
    state: State
    at: float
    wall: float
    reason: str = ""


@frozen
class Spawned:
    """A process was executed."""

    name: str
    pid: int
    at: float
    wall: float


@frozen
class Ended:
    """A process is gone, or could not be started (then ``pid`` is None).

    Attributes:
        cpu: seconds of CPU time of the run, of its descendants those that it had waited for; None when
            nobody knows.
    """

    name: str
    pid: int | None
    end: End
    ran_for: float
    at: float
    wall: float
    success: bool
    cpu: float | None = None


class RestartCause(enum.Enum):
    """Why a process is started again."""

    EXIT = "exit"
    PROBE = "probe"
    OOM = "oom"
    LOCK = "lock"
    CANNOT_START = "cannot start"


@frozen
class Restarting:
    """A process will be started again after ``delay`` seconds."""

    name: str
    cause: RestartCause
    delay: float
    reason: str


@frozen
class ProbeResult:
    """What one probe saw in one round; ``reason`` is empty on success, ``took`` is seconds.

    Attributes:
        excused: it failed, but the process has asked for patience.
    """

    probe: str
    succeeded: bool
    reason: str
    took: float
    excused: bool = False


@frozen
class RoundEnded:
    """All probes of one round of a check (readiness, liveness or startup) have answered.

    Attributes:
        failures: failed rounds in a row, this one included; those that do not count are left out.
        threshold: how many of them condemn the process.
        counted: False while the process may still take its time to start, or has asked for patience.
        recovered: this round succeeded after one that failed.
    """

    name: str
    check: str
    results: tuple[ProbeResult, ...]
    failures: int
    threshold: int
    counted: bool
    recovered: bool
    wall: float

    @property
    def succeeded(self) -> bool:
        """Whether every probe succeeded."""
        return all(result.succeeded for result in self.results)

    @property
    def reason(self) -> str:
        """Why the round failed: the reasons of all probes that did, joined."""
        return "; ".join(result.reason for result in self.results if not result.succeeded)


@frozen
class UsageSampled:
    """What processes use of the machine was measured; those that ended meanwhile are left out."""

    usages: Mapping[str, Usage]


@frozen
class ShutdownBegan:
    """The whole is ending; ``signal`` is the one that asked for it, if one did."""

    reason: str
    signal: int | None = None


@frozen
class Hurried:
    """The grace is over for everything: SIGKILL now."""

    reason: str


@frozen
class SignalReceived:
    """A signal to procwrap arrived."""

    signal: int


@frozen
class Notice:
    """Something to say in the log that is not an event of its own.

    Attributes:
        about: the process it is about, empty for the host.
    """

    level: Level
    text: str
    about: str = ""


Event = (
    Declared
    | StateChanged
    | Spawned
    | Ended
    | Restarting
    | RoundEnded
    | UsageSampled
    | ShutdownBegan
    | Hurried
    | SignalReceived
    | MachineEvent
    | LockEvent
    | ReloadEvent
    | Notice
)
