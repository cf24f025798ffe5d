from __future__ import annotations

import signal

import pytest

from procwrap.core.events import End, Notice, RestartCause, Restarting
from procwrap.core.lifecycle import Input, State
from procwrap.spec.hook import PreStop
from procwrap.spec.process import Dependency, ProcessSpec, Stop
from tests.support.children import World, make_world

SPEC = ProcessSpec("api", "/bin/api", stop=Stop(timeout=10.0), pre_stop=PreStop(sleep=5.0))
STUBBORN = {"api": frozenset({signal.SIGTERM})}


def stopping(happened: Input = Input.STOP, *others: ProcessSpec, **settings: object) -> World:
    """A process whose preStop hook runs because of this."""
    world = make_world(SPEC, *others, **settings)  # type: ignore[arg-type]
    world.start()
    world.fleet.children["api"].happen(happened, "test")
    assert world.state("api") is State.STOPPING
    return world


@pytest.mark.parametrize("happened", [Input.STOP, Input.CONDEMNED, Input.OVER_LIMIT])
def test_the_stop_signal_waits_for_the_hook(happened: Input) -> None:
    """Whoever asks for the stop: an operator, its probes or its memory."""
    world = stopping(happened)
    assert (world.run("api").signals, world.pre_stops[0].running) == ([], True)
    world.pre_stops[0].end()
    assert world.run("api").signals == [signal.SIGTERM]


def test_the_grace_begins_with_the_hook() -> None:
    """The hook's time is part of it: SIGKILL comes when it would have come without a hook."""
    world = stopping(withstands=STUBBORN)
    world.clock.advance(7)
    world.pre_stops[0].end()
    world.clock.advance(2.9)
    assert signal.SIGKILL not in world.run("api").signals
    world.clock.advance(0.2)
    assert world.run("api").signals[-1] == signal.SIGKILL
    assert world.clock.getDelayedCalls() == []


def test_a_process_that_ends_meanwhile_ends_its_hook() -> None:
    """Nobody is asked to stop who is not there, and the restart does not wait."""
    world = stopping(Input.CONDEMNED)
    world.run("api").end(End(code=1))
    assert (world.pre_stops[0].running, world.run("api").signals) == (False, [])
    assert world.state("api") is State.BACKOFF


def test_the_end_of_the_grace_ends_the_hook() -> None:
    """Even a hook that nobody could cancel does not keep the process alive."""
    world = stopping()
    world.clock.advance(10)
    assert (world.pre_stops[0].running, world.run("api").signals) == (False, [signal.SIGKILL])


def test_sigkill_waits_for_no_hook() -> None:
    """A second SIGTERM while it runs, or SIGINT before it was begun."""
    world = stopping()
    world.fleet.kill("hurry")
    assert (world.pre_stops[0].running, world.run("api").signals) == (False, [signal.SIGKILL])
    other = make_world(SPEC)
    other.start()
    other.fleet.kill("SIGINT")
    assert (other.pre_stops, other.run("api").signals) == ([], [signal.SIGKILL])


def test_a_stop_during_the_hook_of_a_restart_runs_it_once() -> None:
    """The restart becomes a stop, the hook goes on."""
    world = stopping(Input.CONDEMNED)
    world.fleet.children["api"].happen(Input.STOP, "shutdown")
    world.pre_stops[0].end()
    assert (len(world.pre_stops), world.state("api")) == (1, State.STOPPED)


def test_what_others_need_waits_for_their_hooks() -> None:
    """A shutdown stops the next layer only when the one before has ended, hooks included."""
    world = make_world(ProcessSpec("db", "/bin/db"), api_on_db())
    world.start()
    world.clock.advance(0)
    world.fleet.stop("shutdown")
    assert world.states() == {"db": "running", "api": "stopping"}
    world.pre_stops[0].end()
    assert world.states() == {"db": "stopped", "api": "stopped"}


def api_on_db() -> ProcessSpec:
    return ProcessSpec("api", "/bin/api", pre_stop=SPEC.pre_stop, depends_on=(Dependency("db"),))


def test_a_process_that_has_ended_has_no_hook() -> None:
    """There is nothing to prepare for its end any more."""
    world = make_world(SPEC)
    world.start()
    world.run("api").end(End(code=1))
    world.fleet.children["api"].happen(Input.STOP, "test")
    assert (world.pre_stops, world.state("api")) == ([], State.STOPPED)


def test_too_much_memory_twice_is_one_restart() -> None:
    """What is already being stopped because of it is not stopped again; the cause is told."""
    world = stopping(Input.OVER_LIMIT)
    world.fleet.children["api"].happen(Input.OVER_LIMIT, "again")
    world.pre_stops[0].end()
    (restarting,) = world.told(Restarting)
    assert restarting.cause is RestartCause.OOM
    assert world.told(Notice) == []
