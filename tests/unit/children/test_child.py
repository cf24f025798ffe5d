from __future__ import annotations

import signal

import pytest

from procwrap.core.events import End, Ended, RestartCause, Restarting, StateChanged
from procwrap.core.lifecycle import Input, State
from procwrap.spec.process import Backoff, ProcessSpec, Restart, RestartPolicy, Stop
from tests.support.children import World, make_world

STUBBORN = {"api": frozenset({signal.SIGTERM})}


def started(restart: Restart = Restart(), stop: Stop = Stop(), **world: object) -> World:
    spec = ProcessSpec("api", "/bin/api", restart=restart, stop=stop)
    made = make_world(spec, **world)  # type: ignore[arg-type]
    made.start()
    return made


def test_a_process_without_probes_runs_as_soon_as_it_is_started() -> None:
    """waiting, starting, running: as the contract names them."""
    world = started()
    assert [event.state for event in world.told(StateChanged)] == [State.STARTING, State.RUNNING]
    assert world.board.snapshot.processes["api"].pid == world.run("api").group


def test_an_exit_is_followed_by_a_restart_after_its_delay() -> None:
    """1 s at first; nothing is started before."""
    world = started()
    world.run("api").end(End(code=1))
    assert world.state("api") is State.BACKOFF
    world.clock.advance(0.9)
    assert len(world.runs("api")) == 1
    world.clock.advance(0.1)
    assert (len(world.runs("api")), world.state("api")) == (2, State.RUNNING)


def test_ten_thousand_restarts_leave_nothing_behind() -> None:
    """No stack, no timer and no memory grows with the number of restarts."""
    world = started(Restart(backoff=Backoff(0.0, 0.0, 60.0)))
    for _ in range(10_000):
        world.run("api").end(End(code=1))
        world.clock.advance(0)
        world.executor.started[:-1] = []
    child = world.fleet.children["api"]
    assert child.state is State.RUNNING
    assert world.clock.getDelayedCalls() == []
    assert len(child.starts) == child.starts.maxlen


def test_a_failed_start_is_told_and_tried_again() -> None:
    """It counts as an end with a shell's exit code and with the reason."""
    world = make_world(ProcessSpec("api", "missing"))
    world.start()
    (ended,) = world.told(Ended)
    assert (ended.pid, ended.end.exit_code, ended.end.reason) == (
        None,
        127,
        "cannot execute missing: no such file",
    )
    assert world.told(Restarting)[0].cause is RestartCause.CANNOT_START
    assert world.state("api") is State.BACKOFF


def test_a_condemned_process_is_stopped_and_restarted() -> None:
    """Its checks end, the stop signal goes out, and its exit leads to a restart, whatever its code."""
    world = started(Restart(RestartPolicy.ON_FAILURE), withstands=STUBBORN)
    world.fleet.children["api"].happen(Input.CONDEMNED, "tcp: refused")
    assert world.state("api") is State.STOPPING
    assert not world.checks[0].running
    world.run("api").end(End(code=0))
    assert world.told(Restarting)[0].cause is RestartCause.PROBE


def test_what_does_not_end_in_its_grace_is_killed() -> None:
    """SIGTERM and SIGCONT first, SIGKILL after the grace, and not a moment earlier."""
    world = started(grace=10.0, withstands=STUBBORN)
    world.fleet.children["api"].happen(Input.STOP, "test")
    world.clock.advance(9.9)
    assert world.run("api").signals == [signal.SIGTERM, signal.SIGCONT]
    world.clock.advance(0.2)
    assert world.run("api").signals[-1] == signal.SIGKILL
    assert world.state("api") is State.STOPPED
    assert world.clock.getDelayedCalls() == []


def test_its_own_stop_signal_and_timeout_go_before_the_general_ones() -> None:
    """StopSignal and stopTimeout of the process."""
    world = started(
        stop=Stop(signal.SIGQUIT, 1.0), withstands={"api": frozenset({signal.SIGQUIT})}, grace=10.0
    )
    world.fleet.children["api"].happen(Input.STOP, "test")
    world.clock.advance(1.0)
    assert world.run("api").signals == [signal.SIGQUIT, signal.SIGCONT, signal.SIGKILL]


def test_without_any_grace_nothing_is_killed() -> None:
    """A wrapped command has no deadline of ours."""
    world = started(grace=None, withstands=STUBBORN)
    world.fleet.children["api"].happen(Input.STOP, "test")
    assert world.clock.getDelayedCalls() == []


def test_a_stop_during_a_restart_becomes_a_stop() -> None:
    """A process that is being restarted by its probes is not started again once a stop was asked for."""
    world = started(withstands=STUBBORN)
    child = world.fleet.children["api"]
    child.happen(Input.CONDEMNED, "tcp: refused")
    child.happen(Input.STOP, "shutdown")
    world.run("api").end(End(code=0))
    assert world.state("api") is State.STOPPED


@pytest.mark.parametrize("order", [Input.STOP, Input.KILL])
def test_a_stop_during_the_backoff_ends_the_waiting(order: Input) -> None:
    """Nothing is started by a timer that was forgotten."""
    world = started()
    world.run("api").end(End(code=1))
    world.fleet.children["api"].happen(order, "shutdown")
    assert world.state("api") is State.STOPPED
    assert world.clock.getDelayedCalls() == []


def test_a_kill_does_not_wait() -> None:
    """SIGKILL is the first and only signal."""
    world = started()
    world.fleet.children["api"].happen(Input.KILL, "hurry")
    assert world.run("api").signals == [signal.SIGKILL]
    assert world.state("api") is State.STOPPED


def test_failing_checks_restart_nothing_that_is_to_end() -> None:
    """During the shutdown, while it still waits for its turn: it may stop early, never start again."""
    world = started()
    child = world.fleet.children["api"]
    child.retire("shutdown")
    child.happen(Input.CONDEMNED, "file: missing")
    world.clock.advance(60)
    assert (world.state("api"), len(world.runs("api"))) == (State.STOPPED, 1)


def test_a_signal_never_hits_a_pid_that_is_gone() -> None:
    """Between two runs there is nobody to signal."""
    world = started()
    world.run("api").end(End(code=1))
    assert not world.fleet.children["api"].signal(signal.SIGHUP)
    assert world.run("api").signals == []


def test_the_end_of_a_main_process_ends_all() -> None:
    """With its own end, which decides about the exit code."""
    world = started(Restart(RestartPolicy.NEVER, main=True))
    world.run("api").end(End(code=3))
    assert world.ended_all == [("api", End(code=3))]


def test_it_is_settled_only_when_its_last_output_was_read() -> None:
    """The end of the process and the end of its output are two things."""
    world = started(Restart(RestartPolicy.NEVER))
    running = world.run("api")
    running.end(End(code=0), drained=False)
    assert (world.state("api"), world.fleet.children["api"].settled) == (State.EXITED, False)
    running.drained()
    assert world.fleet.children["api"].settled
