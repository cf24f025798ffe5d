"""Everything that is known about a process, as whoever asks for all of it reads it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from procwrap.core.events import End, RoundEnded, signal_name
from procwrap.core.limits import Usage
from procwrap.core.snapshot import ProcessView, Snapshot
from procwrap.core.timestamp import rfc3339
from procwrap.core.verdicts import Json, fine, reason
from procwrap.spec.process import ProcessSpec


@frozen
class FullView:
    """Tells what there is to tell, without command lines and what else may hold secrets.

    Attributes:
        spec: what was asked for, by the name of the process; None for a process that is on its way out.
        cpu: the fraction of a core that a process used lately, by its name.
    """

    spec: Callable[[str], ProcessSpec | None] = lambda _: None
    cpu: Callable[[str], float | None] = lambda _: None

    def of(self, view: ProcessView, now: float) -> Json:
        """Return everything about one process; what there is not is None.

        Args:
            view: the process.
            now: seconds of the reactor's clock, from which its uptime is measured.
        """
        spec = self.spec(view.name)
        up = view.pid is not None and view.started_at is not None
        return {
            "name": view.name,
            "state": view.state.value,
            "healthy": fine(view),
            "reason": reason(view),
            "pid": view.pid,
            "uptime": round(now - (view.started_at or 0.0), 3) if up else None,
            "started": None if view.started_wall is None else rfc3339(view.started_wall),
            "restarts": view.restarts,
            "restartsBy": {cause.value: count for cause, count in view.restarts_by.items()},
            "lastExit": None if view.last_end is None else end_told(view.last_end),
            "lastExitAt": None if view.ended_wall is None else rfc3339(view.ended_wall),
            "checks": {name: _check(last) for name, last in view.rounds.items()},
            "usage": None if view.usage is None else _usage(view.usage, self.cpu(view.name)),
            "memoryLimitBytes": None if spec is None else spec.memory_limit,
            "dependsOn": [] if spec is None else [need.name for need in spec.depends_on],
        }


def full_status(snapshot: Snapshot, now: float, full: FullView = FullView()) -> Json:
    """Return everything that is known about each process.

    Args:
        snapshot: what is true.
        now: seconds of the reactor's clock, from which uptimes are measured.
        full: what is known besides.
    """
    return {name: full.of(view, now) for name, view in snapshot.processes.items()}


def end_told(end: End) -> Json:
    """Return what a client reads about how a run has ended."""
    # What could not be started has neither code nor signal, only a reason.
    return {
        "code": end.code,
        "signal": None if end.signal is None else signal_name(end.signal),
        "reason": str(end),
    }


def _usage(usage: Usage, cpu: float | None) -> Json:
    return {
        "cpu": cpu,
        "memoryBytes": usage.memory,
        "processes": usage.processes,
        "threads": usage.threads,
        "openFiles": usage.open_files,
    }


def _check(last: RoundEnded) -> Json:
    return {
        "healthy": last.succeeded,
        "reason": last.reason,
        "failures": last.failures,
        "threshold": last.threshold,
        "at": rfc3339(last.wall),
        "probes": [
            {
                "probe": result.probe,
                "healthy": result.succeeded,
                "reason": result.reason,
                "seconds": round(result.took, 6),
            }
            for result in last.results
        ],
    }
