"""Part of the composition root: reads the config again, and has everybody go by it; imported only then."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping, Sequence
from typing import Any

from attrs import define, evolve, field, frozen
from twisted.internet.defer import CancelledError, Deferred, DeferredList, fail, inlineCallbacks
from twisted.internet.defer import TimeoutError as TooLateError
from twisted.logger import Logger
from twisted.python.failure import Failure

from procwrap.children.reshaping import Begun, Reshaping
from procwrap.config.problem import ConfigError
from procwrap.coordinating import Coordination, Ties
from procwrap.core.changes import Changes
from procwrap.core.difference import Difference, beyond, compare
from procwrap.core.events import Level, Notice
from procwrap.core.reloads import Reloaded
from procwrap.errors import OrderRefusedError, ProcwrapError
from procwrap.probes.aside import Asides
from procwrap.serving import Serving
from procwrap.spec.plan import AskAgain, Plan, Settings
from procwrap.tls import needs_tls

READ_WITHIN = 45.0
"""Seconds for reading and checking the config: a disk may hang, and a pipe has its own time for its end."""

UP_WITHIN = 30.0
"""Seconds that whoever asked for the reload waits for what was started; then it is said to be on its way."""

_log = Logger()


@frozen
class Found:
    """What was read, and what it changes."""

    plan: Plan
    settings: Settings
    difference: Difference


@define(eq=False)
class Reloading:
    """Reloads one at a time. Those who ask meanwhile share the one that follows.

    Args:
        ask_again: reads and checks everything; blocks.
        ties: with the settings that procwrap was started with, which stay what they are until its end.
    """

    _ask_again: AskAgain
    _ties: Ties
    _reshaping: Reshaping
    _coordination: Coordination
    _serving: Serving
    _asides: Asides
    _under_way: bool = field(init=False, default=False)
    _queue: list[Deferred[Changes]] = field(init=False, factory=list)

    def ask(self) -> Deferred[Changes]:
        """Reload now, or right after the reload that is under way; see IFleet."""
        if self._ties.shutdown().begun:
            return fail(OrderRefusedError("procwrap is about to end: its config is not read again"))
        asker: Deferred[Changes] = Deferred(self._queue_without)
        self._queue.append(asker)
        if not self._under_way:
            self._next()
        return asker

    def _queue_without(self, cancelled: Deferred[Changes]) -> None:
        if cancelled in self._queue:
            self._queue.remove(cancelled)

    def _next(self) -> None:
        askers, self._queue = self._queue, []
        self._under_way = True
        self._reload(askers).addErrback(self._fails, askers).addBoth(self._over)

    def _over(self, _: object) -> None:
        self._under_way = bool(self._queue)
        if self._under_way:
            self._ties.reactor.callLater(0, self._next)

    def _fails(self, failure: Failure, askers: Sequence[Deferred[Changes]]) -> None:
        error = failure.value
        if isinstance(error, ConfigError):
            self._say(Level.ERROR, "not reloaded, everything goes on as it was: the config is wrong")
            for line in str(error).splitlines():
                self._say(Level.ERROR, line)
        elif isinstance(error, ProcwrapError):
            self._say(Level.ERROR, f"not reloaded: {error}")
        else:
            _log.failure("not reloaded, because of a bug in procwrap", failure)
        for asker in askers:
            if not asker.called:
                asker.errback(failure)

    @inlineCallbacks
    def _reload(self, askers: Sequence[Deferred[Changes]]) -> Generator[Deferred[Any], Any, None]:
        found = yield self._read()
        self._refuse(found)
        begun = yield self._reshaping.carry_out(found.difference)
        self._serving.go_by(found.plan)
        changes = _changes(found, begun, beyond(self._ties.settings, found.settings))
        self._tell(found.plan, changes)
        # From here on the next may begin: who waits for these is answered when they are up.
        self._await(begun.starts, changes).addBoth(_answer, askers)

    @inlineCallbacks
    def _read(self) -> Generator[Deferred[Any], Any, Found]:
        reading = self._asides.ask(self._find, "").addTimeout(READ_WITHIN, self._ties.reactor)
        try:
            found: Found = yield reading
            return found
        except TooLateError:
            text = f"the config could not be read within {READ_WITHIN:g}s"
            raise OrderRefusedError(text) from None

    def _find(self, _: str) -> Found:
        """Read, check, compare and import, in a thread: each takes too long for the reactor."""
        plan, settings = self._ask_again()
        self._serving.prepare(plan)
        return Found(plan, settings, compare(self._ties.roster, plan.processes))

    def _refuse(self, found: Found) -> None:
        """Refuse what would be done by half, before anything is done."""
        if self._ties.shutdown().begun:
            raise OrderRefusedError("procwrap is about to end")
        difference = found.difference
        refusals = [
            refusal
            for name in (*difference.added, *difference.renewed)
            if (refusal := self._coordination.refusal(difference.wanted[name])) is not None
        ]
        if sys.modules.get("OpenSSL", self) is None and needs_tls(found.plan, found.settings):
            refusals.append("it needs TLS, which procwrap has not loaded, for it did not need it until now")
        if refusals:
            raise OrderRefusedError(f"{'; '.join(refusals)}: start procwrap again for this config")

    def _tell(self, plan: Plan, changes: Changes) -> None:
        self._ties.board.tell(Reloaded(changes))
        for warning in plan.warnings:
            self._say(Level.WARNING, warning)
        if changes.needs_restart:
            keys = ", ".join(changes.needs_restart)
            self._say(Level.WARNING, f"only when procwrap itself is started again does this change: {keys}")
        for name, reason in changes.failed.items():
            self._say(Level.ERROR, reason, name)

    @inlineCallbacks
    def _await(
        self, starts: Mapping[str, Deferred[None]], changes: Changes
    ) -> Generator[Deferred[Any], Any, Changes]:
        failed, on_their_way = dict(changes.failed), list[str]()

        def not_up(failure: Failure, name: str) -> None:
            if failure.check(CancelledError):
                on_their_way.append(name)
                return
            failed[name] = failure.getErrorMessage()
            self._say(Level.ERROR, f"after the reload: {failed[name]}", name)

        def stop_waiting() -> None:
            for start in starts.values():
                start.cancel()

        up = DeferredList([start.addErrback(not_up, name) for name, start in starts.items()])
        timer = self._ties.reactor.callLater(UP_WITHIN, stop_waiting)
        yield up
        if timer.active():
            timer.cancel()
        late = tuple(f"{name} is not up after {UP_WITHIN:g}s, it may still come" for name in on_their_way)
        return evolve(changes, failed=failed, warnings=(*changes.warnings, *late))

    def _say(self, level: Level, text: str, about: str = "") -> None:
        self._ties.board.tell(Notice(level, text, about))


def _answer(result: Changes | Failure, askers: Sequence[Deferred[Changes]]) -> None:
    for asker in askers:
        if not asker.called:
            asker.callback(result)


def _changes(found: Found, begun: Begun, needs_restart: tuple[str, ...]) -> Changes:
    difference = found.difference
    left = {*begun.resting, *begun.late}
    resting = {name: difference.renewed[name] for name in difference.renewed if name in begun.resting}
    return Changes(
        added=difference.added,
        removed=tuple(name for name in difference.removed if name not in begun.late),
        restarted={name: keys for name, keys in difference.renewed.items() if name not in left},
        adjusted={**difference.adjusted, **resting},
        unchanged=difference.unchanged,
        needs_restart=needs_restart,
        failed=dict.fromkeys(begun.late, "it has not ended in time, and goes by the old config until it has"),
        warnings=found.plan.warnings,
    )
