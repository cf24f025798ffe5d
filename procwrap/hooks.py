"""Part of the composition root: the hooks of a child, imported only where there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from procwrap.children import hooks
from procwrap.children.child import Child
from procwrap.children.commands import HookRunner
from procwrap.children.executor import Executor
from procwrap.children.hookrun import HookRun, Step
from procwrap.children.slices import Slices
from procwrap.children.surroundings import Checks
from procwrap.core.events import Event
from procwrap.interfaces import IProbe
from procwrap.spec.hook import CommandHook, PostStart, PreStop
from procwrap.spec.probe import ExecProbe, Probe


@implementer(IProbe)
@define(eq=False)
class Pause:
    """Succeeds after some seconds."""

    _clock: IReactorTime
    _seconds: float
    target: str = field(init=False)

    kind = "sleep"
    timeout = None
    expected = "to pass"

    def __attrs_post_init__(self) -> None:
        self.target = f"sleep {self._seconds:g}s"

    def check(self) -> Deferred[None]:
        """Wait."""
        return deferLater(self._clock, self._seconds)

    def close(self) -> None:
        """Nothing is kept."""


@define(eq=False)
class HookMaker:
    """Makes the hooks of each run of each child.

    Args:
        context: what probes are told about a child.
    """

    _reactor: Any
    _tell: Callable[[Event], None]
    _executor: Executor
    _context: Callable[[Child], Any]
    _turns: Slices = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Let all hooks share the reactor's time: a shutdown may begin hundreds of them at once."""
        self._turns = Slices(self._reactor)

    @staticmethod
    def holds_back(checks: Checks) -> hooks.HealthAfterPostStart | None:
        """Return these checks if there is a postStart hook among them."""
        return checks if isinstance(checks, hooks.HealthAfterPostStart) else None

    def post_start(self, child: Child, asked: PostStart) -> hooks.HealthAfterPostStart:
        """Return what holds the health of a child back until this hook has ended well."""
        steps = list(self._post_start_steps(child, asked))
        return hooks.HealthAfterPostStart(
            child, steps, self._reactor, asked.deadline, self._tell, self._turns.do, asked.at_start
        )

    def pre_stop(self, child: Child, asked: PreStop) -> HookRun:
        """Return the hook that is run before a child is asked to stop."""
        steps = list(self._pre_stop_steps(child, asked))
        return hooks.pre_stop(child, steps, self._reactor, self._tell, self._turns.do)

    def _post_start_steps(self, child: Child, asked: PostStart) -> Iterator[Step]:
        if asked.command is not None:
            yield self._command(child, hooks.POST_START, asked.command)
        if asked.sql is not None:
            yield self._probe(child, evolve(asked.sql, timeout=asked.deadline))
        if asked.http is not None:
            yield self._probe(child, evolve(asked.http, timeout=asked.deadline))
        if asked.sleep is not None:
            yield self._pause(asked.sleep)

    def _pre_stop_steps(self, child: Child, asked: PreStop) -> Iterator[Step]:
        if asked.command is not None:
            yield self._command(child, hooks.PRE_STOP, asked.command)
        if asked.http is not None:
            allowed = hooks.time_before_stop(child.grace)
            yield self._probe(child, evolve(asked.http, timeout=allowed))
        if asked.sleep is not None:
            yield self._pause(asked.sleep)

    def _pause(self, seconds: float) -> Step:
        return lambda: Pause(self._reactor, seconds)

    def _command(self, child: Child, hook: str, asked: CommandHook) -> Step:
        runner = HookRunner(self._executor, child, hook)
        return self._probe(child, ExecProbe(asked.entrypoint, asked.args, asked.envs), runner=runner)

    def _probe(self, child: Child, spec: Probe, **lent: Any) -> Step:
        def build() -> Deferred[IProbe]:
            from procwrap.probes import kinds

            return kinds.build_aside(spec, evolve(self._context(child), **lent))

        return build
