from __future__ import annotations

import pytest
from attrs import evolve

from procwrap.core.events import End, ProbeResult, RoundEnded
from procwrap.core.lifecycle import State
from procwrap.core.snapshot import ProcessView, Snapshot
from procwrap.core.verdicts import all_healthy, liveness, readiness, status
from procwrap.spec.plan import LivenessRule

HEALTHY, STUCK = LivenessRule.HEALTHY, LivenessRule.STUCK
UP = ProcessView("up", State.RUNNING)
DONE = ProcessView("done", State.EXITED, last_end=End(0))
CRASHED = ProcessView("crashed", State.EXITED, "exit code 3", last_end=End(3), last_end_success=False)
FAILED_ROUND = RoundEnded(
    "slow",
    "readiness",
    (ProbeResult("http", False, "http://x/: 503", 0.1), ProbeResult("tcp", True, "", 0.2)),
    failures=2,
    threshold=3,
    counted=True,
    recovered=False,
    wall=1_795_291_384.5671,
)


def snapshot(*views: ProcessView, **truth: object) -> Snapshot:
    """Everything is declared, and these are the processes."""
    return evolve(Snapshot({view.name: view for view in views}, declared=True), **truth)


def in_state(state: State, **truth: object) -> Snapshot:
    """One process in this state, beside one that is fine."""
    return snapshot(UP, ProcessView("odd", state, "because", **truth))


def test_ready_when_all_run_or_have_done_their_work() -> None:
    """Running processes and one that ended successfully are ready and alive."""
    now = snapshot(UP, DONE)
    assert readiness(now).ok
    assert liveness(now, HEALTHY).ok
    assert readiness(now).body() == {"healthy": True, "preempted": False, "shutdown": False, "processes": {}}


@pytest.mark.parametrize("now", [Snapshot(), Snapshot(declared=True)])
def test_not_ready_before_anything_was_started(now: Snapshot) -> None:
    """Without a process there is nothing that could be ready, and nothing to be killed for."""
    assert not readiness(now).ok
    assert liveness(now, HEALTHY).ok
    assert not all_healthy(now)


@pytest.mark.parametrize("state", sorted(set(State) - {State.RUNNING, State.EXITED, State.STANDBY}, key=str))
def test_every_other_state_is_not_ready_and_named(state: State) -> None:
    """A process that does not run is the cause, with its state and reason; the others are not listed."""
    verdict = readiness(in_state(state))
    assert not verdict.ok
    assert verdict.body()["processes"] == {"odd": {"state": state.value, "reason": "because"}}


def test_exit_with_failure_is_not_ready() -> None:
    """An exit that is no success is a cause."""
    assert readiness(snapshot(UP, CRASHED)).body()["processes"] == {
        "crashed": {"state": "exited", "reason": "exit code 3"}
    }


def test_stopped_by_an_operator_is_alive_but_not_ready() -> None:
    """Whoever stopped a process does not want the container to be restarted for it."""
    assert liveness(in_state(State.STOPPED), HEALTHY).ok
    assert not readiness(in_state(State.STOPPED)).ok


@pytest.mark.parametrize("state", [State.BACKOFF, State.UNHEALTHY, State.WAITING, State.FAILED])
def test_not_alive(state: State) -> None:
    """With the usual rule a process that is not healthy makes liveness fail."""
    assert list(liveness(in_state(state), HEALTHY).causes) == ["odd"]


@pytest.mark.parametrize("rule", LivenessRule)
@pytest.mark.parametrize("state", [State.STOPPING, State.STOPPED, State.FAILED, State.BACKOFF])
def test_shutdown_is_alive_and_not_ready(rule: LivenessRule, state: State) -> None:
    """During the shutdown nothing is ready, and the kubelet is not told to kill what is stopping."""
    now = evolve(in_state(state), shutdown=True)
    assert liveness(now, rule).ok
    assert not readiness(now).ok
    assert readiness(now).body()["shutdown"] is True


def test_preempted_is_alive_and_not_ready() -> None:
    """A node that is about to go gets no traffic, though all is healthy."""
    now = snapshot(UP, preempted=True)
    assert readiness(now).body() == {"healthy": False, "preempted": True, "shutdown": False, "processes": {}}
    assert liveness(now, HEALTHY).ok
    assert all_healthy(now)


@pytest.mark.parametrize(
    ("state", "condemned", "alive"),
    [
        (State.FAILED, 0, False),
        (State.BACKOFF, 5, True),
        (State.BACKOFF, 6, False),
        (State.STARTING, 6, False),
        (State.RUNNING, 6, True),
        (State.STOPPED, 6, True),
        (State.UNHEALTHY, 0, True),
        (State.EXITED, 0, True),
    ],
)
def test_stuck_rule(state: State, condemned: int, alive: bool) -> None:
    """With ``stuck`` only what cannot recover by itself counts; what runs again has recovered."""
    assert liveness(in_state(state, condemned_in_row=condemned), STUCK).ok is alive


def test_a_starting_process_shows_its_failing_probe() -> None:
    """While a process starts, the reason is what its probes last saw."""
    slow = ProcessView("slow", State.STARTING, "started", rounds={"readiness": FAILED_ROUND})
    assert readiness(snapshot(slow)).body()["processes"]["slow"]["reason"] == "http://x/: 503"


def test_status_is_true_for_what_is_fine() -> None:
    """Status says for each process, in the order of the plan, whether it is fine."""
    assert list(status(snapshot(CRASHED, UP, DONE)).items()) == [
        ("crashed", False),
        ("up", True),
        ("done", True),
    ]
