"""The composition root: from a Plan and Settings to everything built and introduced to each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.logger import globalLogBeginner
from twisted.python.failure import Failure

from procwrap.checks import CheckMaker
from procwrap.children.child import Child
from procwrap.children.executor import Executor
from procwrap.children.fleet import Fleet
from procwrap.children.gate import Gate
from procwrap.children.leftovers import Leftovers
from procwrap.children.notifications import Notifications
from procwrap.children.ownusage import spent
from procwrap.children.permits import Entrance
from procwrap.children.reactions import HostReactions, WrapperReactions
from procwrap.children.reaper import Reaper
from procwrap.children.shutdown import Shutdown
from procwrap.children.signals import SignalStream
from procwrap.children.surroundings import Surroundings
from procwrap.coordinating import Coordination, Ties
from procwrap.core.board import Board
from procwrap.core.ending import NEVER_AGAIN, Remaining, code_of_all, code_of_one, counting
from procwrap.core.events import End, Event, Level, Notice
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.lifecycle import Input
from procwrap.core.policy import Judgement
from procwrap.core.snapshot import Snapshot
from procwrap.errors import ExitStatus
from procwrap.optional import begin_profiling, begin_sampling, begin_sinks
from procwrap.outputs import Outputs, make_outputs
from procwrap.prelude import Prelude
from procwrap.serving import Serving
from procwrap.sinks.own import OwnLog
from procwrap.spec.plan import Plan, Settings
from procwrap.spec.process import ProcessSpec


@define(eq=False)
class Host:
    """Everything of one run of procwrap.

    Args:
        finish: called once, at the very end, with the exit code.
    """

    _plan: Plan
    _settings: Settings
    _prelude: Prelude
    _reactor: Any
    _outputs: Outputs
    _finish: Callable[[int], None]
    _board: Board = field(init=False)
    _heartbeats: Heartbeats = field(init=False)
    _reaper: Reaper = field(init=False)
    _leftovers: Leftovers = field(init=False)
    _executor: Executor = field(init=False)
    _fleet: Fleet = field(init=False)
    _shutdown: Shutdown = field(init=False)
    _serving: Serving = field(init=False)
    _coordination: Coordination = field(init=False)
    _cause: tuple[str, int] | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        """Build every floor; nothing acts before ``start``."""
        reactor = self._reactor
        self._board = Board(self._outputs.own.broken)
        self._board.watch(self._outputs.own.watch)
        self._heartbeats = Heartbeats(tuple(spec.name for spec in self._plan.processes))
        self._serving = Serving(
            self._plan,
            self._settings,
            reactor,
            self._prelude.listener,
            self._board,
            self._heartbeats,
            self._outputs,
            time.time,
        )
        self._reaper = Reaper(reactor)
        self._leftovers = Leftovers(reactor, self._reaper.expects)
        self._executor = Executor(
            reactor,
            self._reaper,
            self._prelude.launcher,
            self._prelude.head_start,
            self._outputs.open_streams,
            self._outputs.hold,
            Notifications(reactor, self._board.tell),
        )
        self._coordination = Coordination(self._ties())
        self._fleet = self._make_fleet()
        self._shutdown = Shutdown(
            self._board,
            reactor,
            self._fleet,
            self._leftovers,
            self._outputs.flush,
            self._leave,
            None if self.wrapped is not None else self._settings.graceful_deadline or 0.0,
            self._outputs.waiting,
        )
        self._watch_for_the_end()

    def _ties(self) -> Ties:
        return Ties(
            self._plan,
            self._settings,
            self._board,
            self._reactor,
            time.time,
            lambda: self._fleet,
            lambda: self._shutdown,
            self._prelude.launcher,
        )

    def _make_fleet(self) -> Fleet:
        reactor, board = self._reactor, self._board
        checks = CheckMaker(reactor, time.time, board, self._executor, self._heartbeats)
        surroundings = Surroundings(
            reactor,
            time.time,
            board.tell,
            Entrance(Gate(board, reactor, self._prelude.head_start.has), self._coordination.permits),
            self._executor,
            self._leftovers,
            checks.make,
            checks.make_pre_stop,
            self._one_ended_all,
            self._settings.graceful_deadline,
            self._settings.reap_group,
            spent,
        )
        return Fleet({spec.name: Child(spec, surroundings) for spec in self._plan.processes}, board)

    def _watch_for_the_end(self) -> None:
        remaining = Remaining(counting(self._plan.processes), NEVER_AGAIN)

        def look(snapshot: Snapshot, event: Event) -> None:
            if remaining.note(event) and not self._shutdown.begun:
                self._reactor.callLater(0, self._end)

        self._board.watch(look)

    def _one_ended_all(self, spec: ProcessSpec, end: End, judged: Judgement) -> None:
        if self._cause is None:
            gave_up = judged.happened is Input.GIVEN_UP
            code = code_of_one(end, vital=spec.restart.vital, gave_up=gave_up)
            self._cause = (f"{spec.name}: {judged.reason}", code)
        self._reactor.callLater(0, self._end)

    def _end(self) -> None:
        """End because of a process, a moment after its end.

        By then it is known whether the last one that could run was a main or vital process, whose code
        counts, and all that were given a head start have been taken over and can be stopped.
        """
        nothing_left = "no process is left that could run again"
        reason, code = self._cause or (nothing_left, code_of_all(self._board.snapshot, self._plan.processes))
        self._shutdown.begin(reason, code)

    @property
    def wrapped(self) -> Child | None:
        """The wrapped command, if there is one."""
        return next((child for child in self._fleet.children.values() if child.spec.wrapped), None)

    @property
    def log_observer(self) -> OwnLog:
        """Twisted's log belongs into ours."""
        return self._outputs.own

    def begin_log(self) -> None:
        """Take Twisted's log over, where nobody else does."""
        globalLogBeginner.beginLoggingTo([self.log_observer], redirectStandardIO=False, discardBuffer=True)

    def listen(self) -> None:
        """Take the HTTP socket, before anything is started.

        Raises:
            UsageError: HEALTH_SOCKET is no address.
            CannotStartError: the address cannot be had.
        """
        self._serving.listen()

    def start(self) -> None:
        """Start the processes, then everything that they do not need."""
        self._install_signals()
        self._serving.event_counts = begin_sinks(
            self._plan, self._settings, self._board, self._reactor, time.time, self._outputs
        )
        for warning in (*self._plan.warnings, *self._prelude.warnings):
            self._board.tell(Notice(Level.WARNING, warning))
        self._coordination.begin()
        self._fleet.start()
        begin_sampling(self._fleet, self._board, self._reactor, everybody=self._settings.socket is not None)
        begin_profiling(self._settings, self._board, self._reactor)
        # Those with a head start may have ended before anybody listened to SIGCHLD.
        self._reaper.reap()
        self._reactor.callLater(0, self._serve)

    def _install_signals(self) -> None:
        reap, wrapped = self._reaper.reap, self.wrapped
        if wrapped is not None:
            deadline = self._settings.graceful_deadline
            around = WrapperReactions(self._board, self._reactor, wrapped, self._shutdown, reap, deadline)
            deliver = around.deliver
        else:
            deliver = HostReactions(self._board, self._shutdown, reap, self._say_states).deliver
        SignalStream(self._reactor, self._prelude.signals, deliver).start()

    def _serve(self) -> None:
        self._serving.begin().addErrback(self._cannot_serve)

    def _cannot_serve(self, failure: Failure) -> None:
        # Nobody could ask whether we are alive: better an end that everybody sees.
        self._board.tell(Notice(Level.FATAL, f"cannot serve HTTP: {failure.value!r}"))
        self._shutdown.begin("cannot serve HTTP", ExitStatus.CANNOT_START)

    def _say_states(self) -> None:
        for name, view in self._board.snapshot.processes.items():
            state = view.state.value
            fields = {"process": name, "state": state, "child": view.pid, "restarts": view.restarts}
            self._outputs.own.say(Level.INFO, view.reason or state, fields)

    def loss(self) -> str | None:
        """Return what was lost on stdout, in one line."""
        return self._outputs.loss()

    def _leave(self, code: int) -> None:
        self._prelude.clean_up()
        self._serving.stop().addBoth(lambda _: self._finish(code))


def compose(
    plan: Plan, settings: Settings, prelude: Prelude, reactor: Any, finish: Callable[[int], None]
) -> Host:
    """Build the host of a plan, with a clock that does not jump."""
    # Twisted's own is the wall clock: set back by an hour, every timer would be an hour late.
    reactor.seconds = time.monotonic
    outputs = make_outputs(plan, settings, reactor.callFromThread, time.time)
    return Host(plan, settings, prelude, reactor, outputs, finish)
