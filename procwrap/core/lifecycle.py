"""The life of a process as a table: State x Input -> next State and Effects.

Every pair is answered: it moves, it is ignored by name, or it is a bug and raises. What an exit means
(again, over, given up) is decided by ``core.policy`` before the table is asked, so that a new restart
policy never touches it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import frozen


class State(enum.Enum):
    """Where a process is in its life; the values are what users see."""

    WAITING = "waiting"
    STANDBY = "standby"
    STARTING = "starting"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    EXITED = "exited"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"


class Input(enum.Enum):
    """What can happen to a process."""

    # from the fleet, and from those who give orders
    BEGIN = "begin"
    STOP = "stop"
    KILL = "kill"
    # from its gate, and from the permits behind it
    HELD = "held"
    STANDBY = "standby"
    GRANTED = "granted"
    DENIED = "denied"
    # from its checks
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    CONDEMNED = "condemned"
    # from those who measure it
    OVER_LIMIT = "over limit"
    # from a permit that was granted
    LOST = "permit lost"
    # from its preStop hook, or when there is none
    PRE_STOPPED = "preStop over"
    # from its timers
    GRACE_OVER = "grace over"
    BACKOFF_OVER = "backoff over"
    # from the policy, when it has ended or could not be started
    AGAIN = "again"
    OVER = "over"
    GIVEN_UP = "given up"
    ENDED_AS_ASKED = "ended as asked"


class Effect(enum.Enum):
    """What the shell around the table has to do, one verb each."""

    ASK_GATE = "ask gate"
    LEAVE_GATE = "leave gate"
    SPAWN = "spawn"
    STOP_CHECKS = "stop checks"
    RUN_PRE_STOP = "run preStop"
    CANCEL_PRE_STOP = "cancel preStop"
    SEND_STOP = "send stop signal"
    ARM_GRACE = "arm grace"
    DISARM_GRACE = "disarm grace"
    KILL = "kill"
    ARM_BACKOFF = "arm backoff"
    DISARM_BACKOFF = "disarm backoff"


@frozen
class Move:
    """The answer to one input: the next state, and what to do."""

    state: State
    effects: tuple[Effect, ...] = ()


class ImpossibleInputError(Exception):
    """An input that cannot come in this state came: a bug in procwrap."""


ALIVE = frozenset({State.STARTING, State.RUNNING, State.UNHEALTHY, State.STOPPING})
"""States in which there is a process."""

FINAL = frozenset({State.EXITED, State.FAILED, State.STOPPED, State.SKIPPED})
"""States that a process leaves only when somebody asks for it."""

_END = (Effect.STOP_CHECKS, Effect.CANCEL_PRE_STOP, Effect.DISARM_GRACE)
_ENDINGS: Mapping[Input, Move] = {
    Input.AGAIN: Move(State.BACKOFF, (*_END, Effect.ARM_BACKOFF)),
    Input.OVER: Move(State.EXITED, _END),
    Input.GIVEN_UP: Move(State.FAILED, _END),
    Input.ENDED_AS_ASKED: Move(State.STOPPED, _END),
}
# The hook's time is part of the grace.
_STOP = Move(State.STOPPING, (Effect.STOP_CHECKS, Effect.ARM_GRACE, Effect.RUN_PRE_STOP))
_STOPS: Mapping[Input, Move] = {
    Input.CONDEMNED: _STOP,
    Input.OVER_LIMIT: _STOP,
    Input.STOP: _STOP,
    Input.KILL: Move(State.STOPPING, (Effect.STOP_CHECKS, Effect.KILL)),
    # Another may run it any moment: there is no time for a hook or a grace.
    Input.LOST: Move(State.STOPPING, (Effect.STOP_CHECKS, Effect.KILL)),
}

_BEGIN = Move(State.WAITING, (Effect.ASK_GATE,))
# A process that waits and one that stands by differ only in what they count for.
_ANSWERS: Mapping[Input, Move] = {
    # The first time it has not asked yet; whoever begins it twice must not have it ask twice.
    Input.BEGIN: Move(State.WAITING, (Effect.LEAVE_GATE, Effect.ASK_GATE)),
    Input.HELD: Move(State.WAITING),
    Input.STANDBY: Move(State.STANDBY),
    Input.GRANTED: Move(State.STARTING, (Effect.SPAWN,)),
    Input.DENIED: Move(State.SKIPPED),
    Input.LOST: Move(State.WAITING, (Effect.LEAVE_GATE, Effect.ASK_GATE)),
    Input.STOP: Move(State.STOPPED, (Effect.LEAVE_GATE,)),
    Input.KILL: Move(State.STOPPED, (Effect.LEAVE_GATE,)),
}

TABLE: Mapping[State, Mapping[Input, Move]] = {
    State.WAITING: {
        **_ANSWERS,
    },
    State.STANDBY: {
        **_ANSWERS,
    },
    State.STARTING: {
        Input.HEALTHY: Move(State.RUNNING),
        **_STOPS,
        **_ENDINGS,
    },
    State.RUNNING: {
        Input.DEGRADED: Move(State.UNHEALTHY),
        **_STOPS,
        **_ENDINGS,
    },
    State.UNHEALTHY: {
        Input.HEALTHY: Move(State.RUNNING),
        **_STOPS,
        **_ENDINGS,
    },
    State.STOPPING: {
        Input.PRE_STOPPED: Move(State.STOPPING, (Effect.SEND_STOP,)),
        Input.KILL: Move(State.STOPPING, (Effect.CANCEL_PRE_STOP, Effect.DISARM_GRACE, Effect.KILL)),
        Input.LOST: Move(State.STOPPING, (Effect.CANCEL_PRE_STOP, Effect.DISARM_GRACE, Effect.KILL)),
        Input.GRACE_OVER: Move(State.STOPPING, (Effect.CANCEL_PRE_STOP, Effect.KILL)),
        **_ENDINGS,
    },
    State.BACKOFF: {
        Input.BEGIN: Move(State.WAITING, (Effect.DISARM_BACKOFF, Effect.ASK_GATE)),
        Input.BACKOFF_OVER: Move(State.WAITING, (Effect.ASK_GATE,)),
        Input.STOP: Move(State.STOPPED, (Effect.DISARM_BACKOFF,)),
        Input.KILL: Move(State.STOPPED, (Effect.DISARM_BACKOFF,)),
    },
    # Only because somebody asks for it.
    State.EXITED: {Input.BEGIN: _BEGIN},
    State.FAILED: {Input.BEGIN: _BEGIN},
    State.STOPPED: {Input.BEGIN: _BEGIN},
    State.SKIPPED: {Input.BEGIN: _BEGIN},
}

_CHECKS = frozenset({Input.HEALTHY, Input.DEGRADED, Input.CONDEMNED})
_ORDERS = frozenset({Input.STOP, Input.KILL})
_TOO_LATE = frozenset({Input.PRE_STOPPED, Input.LOST})

IGNORED: Mapping[State, frozenset[Input]] = {
    State.WAITING: frozenset(),
    State.STANDBY: frozenset(),
    # A round may fail before the first success: still starting.
    State.STARTING: frozenset({Input.BEGIN, Input.DEGRADED}),
    State.RUNNING: frozenset({Input.BEGIN, Input.HEALTHY}),
    State.UNHEALTHY: frozenset({Input.BEGIN, Input.DEGRADED}),
    # The shell remembers that a stop was asked for while a restart was under way; who wants it to begin again
    # waits for its end.
    State.STOPPING: _CHECKS | {Input.BEGIN, Input.OVER_LIMIT, Input.STOP},
    # It had ended before the end of its hook, or the loss of its permit, got its turn.
    State.BACKOFF: _TOO_LATE,
    State.EXITED: _ORDERS | _TOO_LATE,
    State.FAILED: _ORDERS | _TOO_LATE,
    State.STOPPED: _ORDERS | _TOO_LATE,
    State.SKIPPED: _ORDERS | {Input.LOST},
}


def move(state: State, happened: Input) -> Move | None:
    """Answer an input.

    Returns:
        The move, or None when the input is ignored in this state.

    Raises:
        ImpossibleInputError: the input cannot come in this state.
    """
    answer = TABLE[state].get(happened)
    if answer is None and happened not in IGNORED[state]:
        raise ImpossibleInputError(f"{happened.value!r} in state {state.value!r}")
    return answer
