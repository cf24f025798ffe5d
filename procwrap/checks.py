"""Part of the composition root: the probes and hooks of a child, imported only where there are any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field

from procwrap.children.child import Child
from procwrap.children.commands import CommandRunner
from procwrap.children.executor import Executor
from procwrap.children.surroundings import Checks
from procwrap.core.board import Board
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.lifecycle import Input
from procwrap.core.locks import HeldLocks
from procwrap.core.reloads import ChecksRenewed


@define(eq=False)
class _NoChecks:
    """A process without probes is healthy as soon as it runs."""

    _happen: Callable[[Input, str], None]

    def start(self) -> None:
        self._happen(Input.HEALTHY, "")

    def stop(self) -> None:
        return


@define(eq=False)
class _NoPreStop:
    """A process without a preStop hook is asked to stop at once."""

    _child: Child

    def start(self) -> None:
        self._child.happen(Input.PRE_STOPPED)

    def stop(self) -> None:
        return


@define(eq=False)
class CheckMaker:
    """Makes the checks and hooks of each run of each child.

    Args:
        reactor: for the probes.
        wall: seconds since the epoch.
    """

    _reactor: Any
    _wall: Callable[[], float]
    _board: Board
    _executor: Executor
    _heartbeats: Heartbeats
    _http: Any = None
    _asides: Any = None
    _hooks: Any = None
    _locks: HeldLocks = field(factory=HeldLocks)

    def __attrs_post_init__(self) -> None:
        """Know from the beginning who holds a lock."""
        self._board.watch(self._locks.watch)

    def make(self, child: Child) -> Checks:
        """Return the checks for the run of ``child`` that has just begun, and its postStart hook."""
        if child.spec.post_start is None:
            return self._checks(child, child.happen)
        held_back = self._hook_maker().post_start(child, child.spec.post_start)
        both: Checks = held_back.before(self._checks(child, held_back.happen))
        return both

    def renew(self, child: Child, old: Checks) -> Checks:
        """Return the checks of ``child`` by its spec as it is now, in place of the old ones of the same run.

        Its postStart hook goes on as it has begun.
        """
        self._board.tell(ChecksRenewed(child.spec.name))
        if self._hooks is not None and (held_back := self._hooks.holds_back(old)) is not None:
            held_back.exchange(self._checks(child, held_back.happen))
            return old
        old.stop()
        new = self._checks(child, child.happen)
        new.start()
        return new

    def make_pre_stop(self, child: Child) -> Checks:
        """Return the preStop hook of ``child``, whose stop has just begun."""
        if child.spec.pre_stop is None:
            return _NoPreStop(child)
        hook: Checks = self._hook_maker().pre_stop(child, child.spec.pre_stop)
        return hook

    def _hook_maker(self) -> Any:
        if self._hooks is None:
            from procwrap.hooks import HookMaker

            self._hooks = HookMaker(self._reactor, self._board.tell, self._executor, self._context)
        return self._hooks

    def _checks(self, child: Child, happen: Callable[[Input, str], None]) -> Checks:
        spec = child.spec
        if spec.readiness is None and spec.liveness is None and spec.startup is None:
            return _NoChecks(happen)
        from procwrap.probes import kinds
        from procwrap.probes.checkup import Checkup

        context = self._context(child)
        checkup = Checkup(
            spec,
            lambda probe: kinds.build_aside(probe, context),
            self._reactor,
            self._wall,
            self._board.tell,
            happen,
        )
        self._executor.notifications.watch(spec.name, checkup.look_early)
        return checkup

    def _context(self, child: Child) -> Any:
        from procwrap.probes.context import ProbeContext

        name = child.spec.name

        def last_heartbeat() -> float | None:
            beat = self._heartbeats.last(name)
            return None if beat is None else beat.at

        return ProbeContext(
            reactor=self._reactor,
            environment=lambda: child.environment,
            runner=CommandRunner(self._executor, child.spec, lambda: child.environment),
            last_heartbeat=last_heartbeat,
            starts=lambda: child.starts,
            started_at=lambda: child.starts[-1] if child.starts else None,
            http=self._http_client,
            asides=self._look_aside(),
            notified=lambda: self._executor.notifications.of(name),
            lock_held=lambda: self._locks.holds(name),
        )

    def _look_aside(self) -> Any:
        # One for all runs of all processes: what hangs in a dead mount is asked once, not once a restart.
        if self._asides is None:
            from procwrap.probes.aside import Asides

            self._asides = Asides(self._reactor)
        return self._asides

    def _http_client(self) -> Any:
        if self._http is None:
            from procwrap.probes.http import make_client

            self._http = make_client(self._reactor, self._look_aside())
        return self._http
