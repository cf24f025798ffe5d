"""What a child needs of the others: everything that all children share, and its checks and hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from procwrap.children.executor import Executor
from procwrap.children.leftovers import Leftovers
from procwrap.children.permits import Entrance
from procwrap.core.events import End, Event
from procwrap.core.policy import Judgement
from procwrap.spec.process import ProcessSpec

if TYPE_CHECKING:
    from procwrap.children.child import Child


class Checks(Protocol):
    """What accompanies one run of a process: its probes, or a hook; it talks to the child's ``happen``."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End, and report nothing more."""


@frozen
class Surroundings:
    """What all children share.

    Attributes:
        wall: seconds since the epoch.
        make_checks: the probes of a child that was just started, and its postStart hook.
        make_pre_stop: its preStop hook; says PRE_STOPPED when it is over, at once when there is none.
        ended_all: called with the end and its judgement when the whole is over because of it.
        grace: seconds from the stop signal to SIGKILL; None is never.
        sweeps: end what a wrapped command leaves of its group.
        cpu_spent: seconds of CPU time of a pid that has just ended; None when nobody knows.
        renew_checks: ends the checks of a child that runs and begins with those of its spec as it is now.
    """

    clock: IReactorTime
    wall: Callable[[], float]
    tell: Callable[[Event], None]
    gate: Entrance
    executor: Executor
    leftovers: Leftovers
    make_checks: Callable[[Child], Checks]
    make_pre_stop: Callable[[Child], Checks]
    ended_all: Callable[[ProcessSpec, End, Judgement], None]
    grace: float | None
    sweeps: bool = True
    cpu_spent: Callable[[int], float | None] = lambda _: None
    renew_checks: Callable[[Child, Checks], Checks] = lambda _, checks: checks
