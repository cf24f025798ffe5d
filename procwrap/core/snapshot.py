"""What is true now, as one frozen value, and how each event changes it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

from attrs import evolve, field, frozen

from procwrap.core.events import (
    Declared,
    End,
    Ended,
    Event,
    RestartCause,
    Restarting,
    RoundEnded,
    ShutdownBegan,
    Spawned,
    StateChanged,
    UsageSampled,
)
from procwrap.core.lifecycle import ALIVE, State
from procwrap.core.limits import Usage
from procwrap.core.preempted import Preempted, PreemptionRevoked, PreemptionWatched
from procwrap.core.reloads import ChecksRenewed, Forgotten


@frozen
class ProcessView:
    """One process as it is seen from outside.

    Attributes:
        reason: why it is in this state, for people.
        pid: None when there is no process.
        started_at: reactor seconds of the current (or last) start.
        started_wall: the same in seconds since the epoch.
        restarts: how often it was started again.
        restarts_by: the same by cause.
        condemned_in_row: restarts by probes one after the other, none of them after a long run.
        last_end: how the last run ended.
        ended_at: reactor seconds of that end.
        ended_wall: the same in seconds since the epoch.
        rounds: the last round of each check.
        usage: what it used of the machine when that was last measured; None when it does not run.
    """

    name: str
    state: State = State.WAITING
    reason: str = ""
    pid: int | None = None
    started_at: float | None = None
    started_wall: float | None = None
    restarts: int = 0
    restarts_by: Mapping[RestartCause, int] = field(factory=dict)
    condemned_in_row: int = 0
    last_end: End | None = None
    last_end_success: bool = True
    ended_at: float | None = None
    ended_wall: float | None = None
    rounds: Mapping[str, RoundEnded] = field(factory=dict)
    usage: Usage | None = None

    @property
    def healthy(self) -> bool:
        """Whether it runs and its probes, if any, succeed."""
        return self.state is State.RUNNING

    @property
    def completed(self) -> bool:
        """Whether it ended for good, and successfully."""
        return self.state is State.EXITED and self.last_end_success

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong: it is healthy, or it has done its work."""
        return self.healthy or self.completed

    @property
    def stands_by(self) -> bool:
        """Whether it waits for a lock, so that another does its work and it counts for no health."""
        return self.state is State.STANDBY

    @property
    def ails(self) -> bool:
        """Whether it counts and is not fine."""
        return not (self.fine or self.stands_by)


@frozen
class Snapshot:
    """The whole: every process in the plan's order.

    Attributes:
        declared: False before the processes are known; nothing is ready then.
        shutdown: the end has begun.
        preempted: the node is about to go.
        preemption_watched: whether anybody would know.
        ailing: how many processes count and are not fine; counted along, for with thousands of processes
            looking at all of them after every event takes longer than everything else together.
        standing_by: how many stand by, counted along too.
    """

    processes: Mapping[str, ProcessView] = field(factory=dict)
    declared: bool = False
    shutdown: bool = False
    preempted: bool = False
    preemption_watched: bool = False
    ailing: int = field()
    standing_by: int = field()

    @ailing.default
    def _count_ailing(self) -> int:
        return sum(view.ails for view in self.processes.values())

    @standing_by.default
    def _count_standing_by(self) -> int:
        return sum(view.stands_by for view in self.processes.values())


def reduce(snapshot: Snapshot, event: Event) -> Snapshot:
    """Return what is true after the event; late news of a process that was forgotten changes nothing."""
    name = getattr(event, "name", None)
    if name is not None and name not in snapshot.processes:
        return snapshot
    return _reduce(event, snapshot)


@singledispatch
def _reduce(event: object, snapshot: Snapshot) -> Snapshot:
    return snapshot


@_reduce.register
def _(event: Declared, snapshot: Snapshot) -> Snapshot:
    processes = {name: snapshot.processes.get(name) or ProcessView(name) for name in event.names}
    counted = Snapshot(processes, declared=True)
    ailing, standing_by = counted.ailing, counted.standing_by
    return evolve(snapshot, processes=processes, ailing=ailing, standing_by=standing_by, declared=True)


@_reduce.register
def _(event: Forgotten, snapshot: Snapshot) -> Snapshot:
    return reduce(snapshot, Declared(tuple(name for name in snapshot.processes if name != event.name)))


@_reduce.register
def _(event: ChecksRenewed, snapshot: Snapshot) -> Snapshot:
    view = snapshot.processes[event.name]
    # It is told by the new ones what is wrong now.
    reason = "" if view.state is State.UNHEALTHY else view.reason
    return _with(snapshot, evolve(view, rounds={}, reason=reason))


@_reduce.register
def _(event: ShutdownBegan, snapshot: Snapshot) -> Snapshot:
    return evolve(snapshot, shutdown=True)


@_reduce.register
def _(event: PreemptionWatched, snapshot: Snapshot) -> Snapshot:
    return evolve(snapshot, preemption_watched=True)


@_reduce.register
def _(event: Preempted | PreemptionRevoked, snapshot: Snapshot) -> Snapshot:
    return evolve(snapshot, preempted=isinstance(event, Preempted))


@_reduce.register
def _(event: StateChanged, snapshot: Snapshot) -> Snapshot:
    view = snapshot.processes[event.name]
    pid = view.pid if event.state in ALIVE else None
    return _with(snapshot, evolve(view, state=event.state, reason=event.reason, pid=pid))


@_reduce.register
def _(event: Spawned, snapshot: Snapshot) -> Snapshot:
    view = snapshot.processes[event.name]
    return _with(
        snapshot,
        evolve(view, pid=event.pid, started_at=event.at, started_wall=event.wall, rounds={}),
    )


@_reduce.register
def _(event: Ended, snapshot: Snapshot) -> Snapshot:
    view = snapshot.processes[event.name]
    return _with(
        snapshot,
        evolve(
            view,
            pid=None,
            last_end=event.end,
            last_end_success=event.success,
            ended_at=event.at,
            ended_wall=event.wall,
            usage=None,
        ),
    )


@_reduce.register
def _(event: Restarting, snapshot: Snapshot) -> Snapshot:
    view = snapshot.processes[event.name]
    by_cause = {**view.restarts_by, event.cause: view.restarts_by.get(event.cause, 0) + 1}
    return _with(
        snapshot,
        evolve(
            view,
            restarts=view.restarts + 1,
            restarts_by=by_cause,
            condemned_in_row=_condemned_in_row(view, event),
        ),
    )


def _condemned_in_row(view: ProcessView, event: Restarting) -> int:
    if event.cause is not RestartCause.PROBE:
        return 0
    # No delay means that it had run for long: a new row begins.
    return view.condemned_in_row + 1 if event.delay > 0 else 1


@_reduce.register
def _(event: RoundEnded, snapshot: Snapshot) -> Snapshot:
    view = snapshot.processes[event.name]
    return _with(snapshot, evolve(view, rounds={**view.rounds, event.check: event}))


@_reduce.register
def _(event: UsageSampled, snapshot: Snapshot) -> Snapshot:
    measured = {
        name: evolve(view, usage=usage)
        for name, usage in event.usages.items()
        if (view := snapshot.processes.get(name)) is not None and view.pid is not None
    }
    return evolve(snapshot, processes={**snapshot.processes, **measured})


def _with(snapshot: Snapshot, view: ProcessView) -> Snapshot:
    before = snapshot.processes[view.name]
    return evolve(
        snapshot,
        processes={**snapshot.processes, view.name: view},
        ailing=snapshot.ailing - before.ails + view.ails,
        standing_by=snapshot.standing_by - before.stands_by + view.stands_by,
    )
