from __future__ import annotations

import itertools

import pytest

from procwrap.core.lifecycle import (
    ALIVE,
    FINAL,
    IGNORED,
    TABLE,
    Effect,
    ImpossibleInputError,
    Input,
    Move,
    State,
    move,
)

EVERY_PAIR = list(itertools.product(State, Input))


@pytest.mark.parametrize(("state", "happened"), EVERY_PAIR, ids=lambda value: value.value)
def test_every_input_in_every_state_is_answered(state: State, happened: Input) -> None:
    """A process is never in a state in which nobody knows what to do with what happens to it."""
    moves, ignored = happened in TABLE[state], happened in IGNORED[state]
    assert not (moves and ignored), "an input is either answered or ignored"
    if moves:
        assert move(state, happened) == TABLE[state][happened]
    elif ignored:
        assert move(state, happened) is None
    else:
        with pytest.raises(ImpossibleInputError, match=state.value):
            move(state, happened)


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_a_stop_and_a_kill_can_come_at_any_time(state: State) -> None:
    """Whatever a process is doing, asking it to stop is never a bug."""
    for order in (Input.STOP, Input.KILL):
        answer = move(state, order)
        assert answer is None or answer.state in {State.STOPPING, State.STOPPED}


@pytest.mark.parametrize("state", sorted(ALIVE, key=lambda state: state.value), ids=lambda state: state.value)
def test_whatever_runs_can_end(state: State) -> None:
    """Every end that the policy can decide upon is possible in every state with a process."""
    for ending in (Input.AGAIN, Input.OVER, Input.GIVEN_UP, Input.ENDED_AS_ASKED):
        answer = move(state, ending)
        assert answer is not None
        assert answer.state not in ALIVE
        assert Effect.STOP_CHECKS in answer.effects


def test_every_state_can_be_reached_and_left_for_a_final_one() -> None:
    """No process can be trapped: from everywhere a way leads to an end."""
    edges = {state: {answer.state for answer in moves.values()} for state, moves in TABLE.items()}
    assert _reachable(State.WAITING, edges) == set(State)
    for state in State:
        assert state in FINAL or _reachable(state, edges) & FINAL


def test_checks_and_timers_never_outlive_the_process() -> None:
    """Every move out of the living states stops the checks and the timer for SIGKILL."""
    for state in ALIVE:
        for answer in TABLE[state].values():
            if answer.state not in ALIVE:
                assert {Effect.STOP_CHECKS, Effect.DISARM_GRACE} <= set(answer.effects)


def test_leaving_the_backoff_disarms_its_timer() -> None:
    """A process that is stopped while it waits for its restart is not started by a forgotten timer."""
    for order in (Input.STOP, Input.KILL):
        assert move(State.BACKOFF, order) == Move(State.STOPPED, (Effect.DISARM_BACKOFF,))


def test_a_stop_signal_only_ever_follows_the_pre_stop_hook() -> None:
    """Whoever asks for the stop, and in the grace that it has begun; SIGKILL waits for nothing."""
    moves = [(happened, answer) for moves in TABLE.values() for happened, answer in moves.items()]
    sending = {happened for happened, answer in moves if Effect.SEND_STOP in answer.effects}
    assert sending == {Input.PRE_STOPPED}
    for happened, answer in moves:
        if Effect.RUN_PRE_STOP in answer.effects:
            assert answer.effects.index(Effect.ARM_GRACE) < answer.effects.index(Effect.RUN_PRE_STOP)
        assert happened is not Input.KILL or Effect.RUN_PRE_STOP not in answer.effects


def test_a_hook_never_outlives_its_process_or_a_kill() -> None:
    """Whatever ends the process, or is about to, cancels the preStop hook."""
    for happened, answer in TABLE[State.STOPPING].items():
        ends = answer.state not in ALIVE or Effect.KILL in answer.effects
        assert (Effect.CANCEL_PRE_STOP in answer.effects) == ends, happened


@pytest.mark.parametrize("state", [State.BACKOFF, State.EXITED, State.FAILED, State.STOPPED])
def test_the_end_of_a_hook_may_come_too_late(state: State) -> None:
    """A process that ends in the moment in which its hook does is not asked to stop any more."""
    assert move(state, Input.PRE_STOPPED) is None


def _reachable(start: State, edges: dict[State, set[State]]) -> set[State]:
    found, todo = {start}, [start]
    while todo:
        for state in edges[todo.pop()] - found:
            found.add(state)
            todo.append(state)
    return found
