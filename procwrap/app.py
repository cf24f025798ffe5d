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
from procwrap.children.orders import Orders
from procwrap.children.ownusage import spent
from procwrap.children.permits import Entrance
from procwrap.children.reactions import HostReactions, WrapperReactions
from procwrap.children.reaper import Reaper
from procwrap.children.shutdown import Shutdown
from procwrap.children.signals import SignalStream
from procwrap.children.surroundings import Surroundings
from procwrap.conclusion import Conclusion
from procwrap.coordinating import Coordination, Ties
from procwrap.core.board import Board
from procwrap.core.events import Level, Notice
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.roster import Roster
from procwrap.errors import ExitStatus
from procwrap.optional import begin_profiling, begin_sampling, begin_sinks
from procwrap.outputs import Outputs, make_outputs
from procwrap.prelude import Prelude
from procwrap.residents import Reloads, Residents
from procwrap.serving import Serving
from procwrap.sinks.own import OwnLog
from procwrap.spec.plan import AskAgain, Plan, Settings
from procwrap.spec.process import ProcessSpec

Finish = Callable[[int], None]


@define(eq=False)
class Host:
    """Everything of one run of procwrap.

    Args:
        finish: called once, at the very end, with the exit code.
        ask_again: finds out what is asked for by then, and blocks.

    Attributes:
        orders: an operator's way to its processes.
    """

    _plan: Plan
    _settings: Settings
    _prelude: Prelude
    _reactor: Any
    _outputs: Outputs
    _finish: Finish
    _ask_again: AskAgain
    _board: Board = field(init=False)
    _roster: Roster = field(init=False)
    _heartbeats: Heartbeats = field(init=False)
    _reaper: Reaper = field(init=False)
    _leftovers: Leftovers = field(init=False)
    _executor: Executor = field(init=False)
    _fleet: Fleet = field(init=False)
    _shutdown: Shutdown = field(init=False)
    _serving: Serving = field(init=False)
    _coordination: Coordination = field(init=False)
    _conclusion: Conclusion = field(init=False)
    orders: Orders = field(init=False)
    _reloads: Reloads = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Build every floor; nothing acts before ``start``."""
        reactor = self._reactor
        self._board = Board(self._outputs.own.broken)
        self._board.watch(self._outputs.own.watch)
        self._roster = Roster(self._plan.processes)
        self._heartbeats = Heartbeats(tuple(self._roster))
        self._serving = Serving(
            self._plan,
            self._settings,
            reactor,
            self._prelude.listener,
            self._board,
            self._heartbeats,
            self._outputs,
            time.time,
            self._roster,
            self._prelude.control,
        )
        self._reaper = Reaper(reactor)
        self._leftovers = Leftovers(reactor, self._reaper.expects)
        self._executor = Executor(
            reactor,
            self._reaper,
            self._prelude.launcher,
            self._prelude.head_start,
            self._outputs.streams.open,
            self._outputs.hold,
            Notifications(reactor, self._board.tell),
        )
        self._coordination = Coordination(self._ties())
        self._conclusion = Conclusion(self._board, reactor, self._roster, lambda: self._shutdown)
        self._fleet = self._make_fleet()
        self._shutdown = self._make_shutdown()
        self.orders = Orders(
            self._fleet, self._board, reactor, lambda: self._shutdown.begun, self._reloads.ask
        )
        self._serving.fleet = self.orders

    def _make_shutdown(self) -> Shutdown:
        return Shutdown(
            self._board,
            self._reactor,
            self._fleet,
            self._leftovers,
            self._outputs.flush,
            self._leave,
            None if self.wrapped is not None else self._settings.graceful_deadline or 0.0,
            self._outputs.waiting,
        )

    def _ties(self) -> Ties:
        return Ties(
            self._roster,
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
            self._conclusion.one_ended_all,
            self._settings.graceful_deadline,
            self._settings.reap_group,
            spent,
            checks.renew,
        )

        def make_child(spec: ProcessSpec) -> Child:
            return Child(spec, surroundings)

        self._reloads = Reloads(self._residents(), self._ask_again, lambda: self.orders, make_child)
        return Fleet({spec.name: make_child(spec) for spec in self._plan.processes}, board)

    def _residents(self) -> Residents:
        told = (self._executor.notifications, self._heartbeats, self._conclusion)
        return Residents(self._ties(), self._serving, self._coordination, self._outputs.streams, *told)

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
            self._roster, self._settings, self._board, self._reactor, time.time, self._outputs
        )
        for warning in (*self._plan.warnings, *self._prelude.warnings):
            self._board.tell(Notice(Level.WARNING, warning))
        self._coordination.begin()
        self._fleet.start()
        self._reloads.residents.resample = begin_sampling(
            self._fleet, self._board, self._reactor, everybody=self._serving.listens
        )
        begin_profiling(self._settings, self._board, self._reactor)
        # Those with a head start may have ended before anybody listened to SIGCHLD.
        self._reaper.reap()
        self._reactor.callLater(0, lambda: self._serving.begin().addErrback(self._cannot_serve))

    def _install_signals(self) -> None:
        reap, wrapped = self._reaper.reap, self.wrapped
        if wrapped is not None:
            deadline = self._settings.graceful_deadline
            around = WrapperReactions(self._board, self._reactor, wrapped, self._shutdown, reap, deadline)
            deliver = around.deliver
        else:
            deliver = HostReactions(
                self._board,
                self._shutdown,
                reap,
                lambda: self._outputs.say_states(self._board.snapshot),
                self._reloads.on_signal,
            ).deliver
        SignalStream(self._reactor, self._prelude.signals, deliver).start()

    def _cannot_serve(self, failure: Failure) -> None:
        # Nobody could ask whether we are alive: better an end that everybody sees.
        self._board.tell(Notice(Level.FATAL, f"cannot serve HTTP: {failure.value!r}"))
        self._shutdown.begin("cannot serve HTTP", ExitStatus.CANNOT_START)

    def loss(self) -> str | None:
        """Return what was lost on stdout, in one line."""
        return self._outputs.loss()

    def _leave(self, code: int) -> None:
        self._prelude.clean_up()
        self._serving.stop().addBoth(lambda _: self._finish(code))


def compose(
    plan: Plan, settings: Settings, prelude: Prelude, reactor: Any, finish: Finish, ask_again: AskAgain
) -> Host:
    """Build the host of a plan, with a clock that does not jump."""
    # Twisted's own is the wall clock: set back by an hour, every timer would be an hour late.
    reactor.seconds = time.monotonic
    outputs = make_outputs(plan, settings, reactor.callFromThread, time.time)
    return Host(plan, settings, prelude, reactor, outputs, finish, ask_again)
