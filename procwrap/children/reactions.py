"""What procwrap does when it gets a signal: as the host of several processes, and around one command."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping

from attrs import define, field
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from procwrap.children.child import Child
from procwrap.children.shutdown import Shutdown
from procwrap.core.board import Board
from procwrap.core.events import ShutdownBegan, SignalReceived, signal_name
from procwrap.core.lifecycle import FINAL
from procwrap.errors import ExitStatus


@define(eq=False)
class HostReactions:
    """The host's answers; see ``deliver``.

    Args:
        say_states: writes the state of every process to the log.
        reload: reads the config again.
    """

    _board: Board
    _shutdown: Shutdown
    _reap: Callable[[], None]
    _say_states: Callable[[], None]
    _reload: Callable[[], object]
    _answers: Mapping[int, Callable[[int], object]] = field(init=False)
    _asked: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        """Lay down who answers what."""
        self._answers = {
            signal.SIGTERM: self._end,
            signal.SIGQUIT: self._end,
            signal.SIGINT: self._interrupt,
            signal.SIGHUP: lambda number: self._reload(),
            signal.SIGUSR1: lambda number: self._say_states(),
            signal.SIGUSR2: lambda number: self._say_states(),
        }

    def deliver(self, number: int) -> None:
        """Answer one signal."""
        if number == signal.SIGCHLD:
            self._reap()
        elif number in self._answers:
            self._board.tell(SignalReceived(number))
            self._answers[number](number)

    def _end(self, number: int) -> None:
        if self._asked:
            self._shutdown.hurry(f"a further {signal_name(number)}")
        self._asked = True
        # Changes nothing where the end of a process has begun the shutdown: its grace goes on.
        self._shutdown.begin(signal_name(number), ExitStatus.DONE, number)

    def _interrupt(self, number: int) -> None:
        if self._shutdown.begun:
            self._shutdown.hurry(signal_name(number), ExitStatus.INTERRUPTED)
        else:
            self._shutdown.begin(signal_name(number), ExitStatus.INTERRUPTED, number, fast=True)


_DEADLY = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP})
"""Signals that end a program that does nothing about them."""


@define(eq=False)
class WrapperReactions:
    """Around one command: every signal is passed to its group, and nothing else is done for it.

    Args:
        shutdown: ends everything when the command has not begun yet.
        deadline: seconds from SIGTERM to SIGKILL, only when one was asked for.
    """

    _board: Board
    _clock: IReactorTime
    _child: Child
    _shutdown: Shutdown
    _reap: Callable[[], None]
    _deadline: float | None
    _timer: IDelayedCall | None = None

    def deliver(self, number: int) -> None:
        """Answer one signal."""
        if number == signal.SIGCHLD:
            self._reap()
            return
        self._board.tell(SignalReceived(number))
        if not self._child.signal(number) and number in _DEADLY:
            # It waits for somebody's permission, or is gone and others are waited for.
            self._end_without_it(number)
            return
        if number == signal.SIGTERM and not self._board.snapshot.shutdown:
            self._board.tell(ShutdownBegan(signal_name(number), number))
            if self._deadline is not None:
                self._timer = self._clock.callLater(self._deadline, self._child.signal, signal.SIGKILL)

    def _end_without_it(self, number: int) -> None:
        if self._shutdown.begun:
            self._shutdown.hurry(signal_name(number))
        elif self._child.state not in FINAL:
            self._shutdown.begin(signal_name(number), 128 + number, number)
