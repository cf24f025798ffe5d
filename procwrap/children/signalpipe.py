"""Catches signals in the order in which they arrive, none of them lost, from before the reactor is there.

The C-level handler of Python writes each signal's number to the wake-up descriptor when it arrives
(signal.set_wakeup_fd); the Python-level handlers do nothing. So a burst of HUP, USR1, TERM is read as just
that, while Python's own bookkeeping would hand them over sorted by number and without repetitions.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from types import FrameType

from attrs import define, field

_FAULTS = frozenset(
    {
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGTRAP,
        signal.SIGABRT,
        signal.SIGSYS,
        signal.SIGPIPE,
        signal.SIGXFSZ,
    }
)
"""Sent by the kernel for something that we ourselves did."""

_UNCATCHABLE = frozenset({signal.SIGKILL, signal.SIGSTOP})

_RESET_BY_POPEN = frozenset({signal.SIGPIPE, signal.SIGXFSZ})
"""Python itself ignores these two, and ``restore_signals`` undoes that in the child."""

HOST = frozenset(
    {
        signal.SIGTERM,
        signal.SIGQUIT,
        signal.SIGINT,
        signal.SIGHUP,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGCHLD,
    }
)
"""What the host of several processes listens to."""

WRAPPER = frozenset(signal.valid_signals()) - _FAULTS - _UNCATCHABLE - {signal.SIGURG}
"""What the host of one wrapped command listens to: it passes on everything but SIGCHLD."""


def _nothing(number: int, frame: FrameType | None) -> None:
    """Be a handler: what matters is the byte that was written before it is called."""


@define(eq=False)
class SignalPipe:
    """The wake-up pipe and the handlers that make it work.

    Args:
        numbers: the signals to catch.

    Attributes:
        reading: the end that signals are read from, one byte each.
    """

    _numbers: Iterable[int]
    reading: int = field(init=False)
    _writing: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Make the pipe."""
        self.reading, self._writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def install(self) -> None:
        """Take the signals over, from whoever had them, and let those come that were blocked.

        Children inherit neither handlers nor what is blocked or ignored after this.
        """
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in self._numbers:
            _catch(number)
        _hide_ignored_ones()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def hold_back(self) -> None:
        """Block all signals, while the reactor installs handlers of its own; ``install`` lets them come."""
        signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())

    def read(self) -> bytes:
        """Return the numbers of the signals that have arrived since."""
        try:
            return os.read(self.reading, 65536)
        except BlockingIOError:
            return b""


def _catch(number: int) -> None:
    signal.signal(number, _nothing)
    signal.siginterrupt(number, False)


def _hide_ignored_ones() -> None:
    """Keep ignoring what we ignore in a way that children do not inherit.

    An ignored signal stays ignored across execve(2), one with a handler does not.
    """
    for number in signal.valid_signals() - _UNCATCHABLE - _RESET_BY_POPEN:
        if signal.getsignal(number) is not signal.SIG_IGN:
            continue
        if number in _FAULTS:
            signal.signal(number, signal.SIG_DFL)
        else:
            _catch(number)
