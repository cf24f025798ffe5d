from __future__ import annotations

import pytest

from procwrap.core.events import (
    Declared,
    End,
    Ended,
    Event,
    Level,
    Notice,
    ProbeResult,
    RestartCause,
    Restarting,
    RoundEnded,
    ShutdownBegan,
    Spawned,
    StateChanged,
    UsageSampled,
)
from procwrap.core.lifecycle import State
from procwrap.core.limits import Usage
from procwrap.core.preempted import Preempted, PreemptionCounted, PreemptionRevoked, PreemptionWatched
from procwrap.core.reloads import ChecksRenewed, Forgotten
from procwrap.core.snapshot import ProcessView, Snapshot, reduce


def after(*events: Event) -> Snapshot:
    snapshot = Snapshot()
    for event in (Declared(("api",)), *events):
        snapshot = reduce(snapshot, event)
    return snapshot


def view(*events: Event) -> ProcessView:
    return after(*events).processes["api"]


def changed(state: State) -> StateChanged:
    return StateChanged("api", state, 1.0, 1000.0, "why")


def again(cause: RestartCause, delay: float = 1.0) -> Restarting:
    return Restarting("api", cause, delay, "why")


def test_nothing_is_known_before_the_plan_is() -> None:
    """Readiness cannot be 200 before anything was declared."""
    assert not Snapshot().declared
    assert after().declared
    assert view().state is State.WAITING


def test_a_start_brings_pid_and_times() -> None:
    """What /pids and /status show."""
    seen = view(changed(State.STARTING), Spawned("api", 31, 5.0, 1005.0))
    assert (seen.pid, seen.started_at, seen.started_wall) == (31, 5.0, 1005.0)


def test_a_process_that_is_gone_has_no_pid() -> None:
    """A pid is forgotten with the process, so that nobody signals a recycled one."""
    ended = Ended("api", 31, End(code=3), 1.0, 6.0, 1006.0, success=False)
    seen = view(Spawned("api", 31, 5.0, 1005.0), ended)
    assert (seen.pid, seen.last_end, seen.last_end_success) == (None, End(code=3), False)


def test_restarts_are_counted_by_cause() -> None:
    """The counter by reason adds up to the counter."""
    seen = view(again(RestartCause.EXIT), again(RestartCause.PROBE), again(RestartCause.PROBE))
    assert seen.restarts == 3
    assert seen.restarts_by == {RestartCause.EXIT: 1, RestartCause.PROBE: 2}


@pytest.mark.parametrize(
    ("restarts", "in_row"),
    [
        ([again(RestartCause.PROBE)] * 3, 3),
        ([again(RestartCause.PROBE)] * 3 + [again(RestartCause.EXIT)], 0),
        ([again(RestartCause.PROBE)] * 3 + [again(RestartCause.PROBE, delay=0.0)], 1),
    ],
)
def test_restarts_by_probes_in_a_row(restarts: list[Event], in_row: int) -> None:
    """Another cause or a long run breaks the row."""
    assert view(*restarts).condemned_in_row == in_row


def test_a_new_run_begins_without_rounds() -> None:
    """A restart starts with all checks anew."""
    bad = RoundEnded("api", "readiness", (ProbeResult("tcp", False, "refused", 0.1),), 1, 3, True, False, 0.0)
    assert view(bad).rounds["readiness"].reason == "refused"
    assert view(bad, Spawned("api", 32, 9.0, 1009.0)).rounds == {}


def test_usage_is_that_of_the_run() -> None:
    """It is kept until the process ends; a measurement that comes later is nobody's."""
    usage = Usage(4096, 1.5, 2, 3, 4)
    ended = Ended("api", 31, End(code=0), 1.0, 6.0, 1006.0, success=True)
    started, measured = Spawned("api", 31, 5.0, 1005.0), UsageSampled({"api": usage})
    assert view(started, measured).usage == usage
    assert view(started, measured, changed(State.RUNNING)).usage == usage
    assert view(started, measured, ended).usage is None
    assert view(started, measured, ended, measured).usage is None


def test_only_running_is_healthy_and_only_success_is_completed() -> None:
    """Exactly what readiness and dependsOn ask for."""
    assert [state for state in State if ProcessView("api", state).healthy] == [State.RUNNING]
    assert ProcessView("api", State.EXITED).completed
    assert not ProcessView("api", State.EXITED, last_end_success=False).completed


def test_the_shutdown_is_seen_and_a_notice_changes_nothing() -> None:
    """An event that is only for the log leaves the snapshot as it is."""
    assert after(ShutdownBegan("SIGTERM", 15)).shutdown
    before = after()
    assert reduce(before, Notice(Level.INFO, "hello")) is before


def test_a_preemption_is_seen_and_taken_back() -> None:
    """Whether it is watched is known, too; what is counted afterwards changes nothing."""
    told = (PreemptionWatched(), Preempted("soon"), PreemptionRevoked())
    seen = [after(*told[:count]) for count in range(4)]
    assert [now.preemption_watched for now in seen] == [False, True, True, True]
    assert [now.preempted for now in seen] == [False, False, True, False]
    assert reduce(seen[2], PreemptionCounted()) is seen[2]


def test_a_forgotten_process_is_no_part_of_it() -> None:
    """Nor does late news of it bring it back, or do any harm."""
    snapshot = reduce(Snapshot(), Declared(("api", "db")))
    snapshot = reduce(snapshot, Forgotten("db"))
    assert (list(snapshot.processes), snapshot.ailing) == (["api"], 1)
    late = (StateChanged("db", State.STOPPED, 1.0, 1.0), Spawned("db", 5, 1.0, 1.0), ChecksRenewed("db"))
    for event in late:
        assert reduce(snapshot, event) == snapshot


def test_a_declaration_keeps_what_is_known() -> None:
    """In the new order, with what is new and without what is gone."""
    snapshot = reduce(Snapshot(), Declared(("a", "b")))
    snapshot = reduce(snapshot, StateChanged("a", State.RUNNING, 1.0, 1.0))
    snapshot = reduce(snapshot, Declared(("c", "a")))
    assert [(name, view.state) for name, view in snapshot.processes.items()] == [
        ("c", State.WAITING),
        ("a", State.RUNNING),
    ]
    assert snapshot.ailing == 1


def test_rounds_of_old_checks_are_forgotten() -> None:
    """What a probe has seen that is no more says nothing about the process."""
    failed = RoundEnded("api", "liveness", (), 1, 3, counted=True, recovered=False, wall=1.0)
    snapshot = reduce(reduce(Snapshot(), Declared(("api",))), failed)
    assert snapshot.processes["api"].rounds
    assert not reduce(snapshot, ChecksRenewed("api")).processes["api"].rounds


def test_new_checks_say_themselves_what_is_wrong() -> None:
    """An unhealthy process does not go on showing the reason of a probe that is no more."""
    unhealthy = after(changed(State.UNHEALTHY))
    assert unhealthy.processes["api"].reason == "why"
    renewed = reduce(unhealthy, ChecksRenewed("api")).processes["api"]
    assert (renewed.state, renewed.reason) == (State.UNHEALTHY, "")
