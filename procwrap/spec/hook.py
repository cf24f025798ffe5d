"""What is run around the life of a process: after it has become healthy, and before it is stopped."""

from __future__ import annotations

from attrs import field, frozen

from procwrap.spec.probe import SECRET, HttpProbe, Pairs, SqlProbe


@frozen
class CommandHook:
    """Run a command with the process's environment, user and directory; exit 0 is success."""

    entrypoint: str
    args: tuple[str, ...] = ()
    envs: Pairs = field(default=(), metadata=SECRET, repr=False)


@frozen
class PostStart:
    """Once a start; only when it has ended well the process is healthy.

    Attributes:
        deadline: seconds for all of it together.
        command: run first.
        sql: asked next; its own timeout plays no part.
        http: requested next, likewise.
        sleep: seconds to pass at last.
        at_start: run it at once, and begin with the probes when it has ended; otherwise it is run when all of
            them have first succeeded.
    """

    deadline: float = 30.0
    command: CommandHook | None = None
    sql: SqlProbe | None = None
    http: HttpProbe | None = None
    sleep: float | None = None
    at_start: bool = False


@frozen
class PreStop:
    """Before the stop signal, inside the stop timeout; exactly one of these.

    Attributes:
        sleep: seconds.
    """

    command: CommandHook | None = None
    http: HttpProbe | None = None
    sleep: float | None = None
