"""Signals to procwrap itself: read in the order in which they arrived, none of them lost.

The C-level handler of Python writes each signal's number to the wake-up descriptor when it arrives
(signal.set_wakeup_fd); the Python-level handlers do nothing. So a burst of HUP, USR1, TERM is read as just
that, while Python's own bookkeeping would hand them over sorted by number and without repetitions.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from types import FrameType

from attrs import define, field
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

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

FORWARDED = frozenset(
    number
    for number in signal.valid_signals()
    if number not in _FAULTS | _UNCATCHABLE | {signal.SIGCHLD, signal.SIGURG}
)
"""What is passed to a wrapped command."""


def _nothing(number: int, frame: FrameType | None) -> None:
    """Be a handler: what matters is the byte that was written before it is called."""


@implementer(IReadDescriptor)
@define(eq=False)
class SignalStream:
    """Delivers signals one by one, in the order of their arrival, from within the reactor.

    Args:
        reactor: reads the wake-up pipe.
        deliver: called with each signal's number.
    """

    _reactor: IReactorFDSet
    _deliver: Callable[[int], None]
    _reading: int = field(init=False)
    _writing: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Make the pipe."""
        self._reading, self._writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def install(self, numbers: Iterable[int]) -> None:
        """Take these signals over, from whoever had them, and let blocked ones come."""
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, _nothing)
            signal.siginterrupt(number, False)
        _hide_ignored_ones()
        self._reactor.addReader(self)
        # Children inherit the mask: it has to be empty.
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def fileno(self) -> int:
        """Return the reading end of the pipe."""
        return self._reading

    def doRead(self) -> None:
        """Deliver what has arrived."""
        for number in os.read(self._reading, 65536):
            self._deliver(number)

    def connectionLost(self, reason: Failure) -> None:
        """Do nothing: the pipe lives as long as the process."""

    def logPrefix(self) -> str:
        """Name this reader in Twisted's log."""
        return "signals"


def _hide_ignored_ones() -> None:
    """Keep ignoring what we ignore in a way that children do not inherit.

    An ignored signal stays ignored across execve(2), one with a handler does not.
    """
    for number in signal.valid_signals() - _UNCATCHABLE:
        # Popen resets the two that Python itself ignores.
        if signal.getsignal(number) is signal.SIG_IGN and number not in _FAULTS:
            signal.signal(number, _nothing)
            signal.siginterrupt(number, False)
