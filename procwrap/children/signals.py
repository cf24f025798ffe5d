"""Delivers the signals that the pipe has caught, from within the reactor."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from procwrap.children.signalpipe import SignalPipe


@implementer(IReadDescriptor)
@define(eq=False)
class SignalStream:
    """Delivers signals one by one, in the order of their arrival.

    Args:
        deliver: called with each signal's number.
    """

    _reactor: IReactorFDSet
    _pipe: SignalPipe
    _deliver: Callable[[int], None]

    def start(self) -> None:
        """Begin, once the reactor has installed its own handlers."""
        self._pipe.install()
        self._reactor.addReader(self)

    def fileno(self) -> int:
        """Return the reading end of the pipe."""
        return self._pipe.reading

    def doRead(self) -> None:
        """Deliver what has arrived."""
        for number in self._pipe.read():
            self._deliver(number)

    def connectionLost(self, reason: Failure) -> None:
        """Do nothing: the pipe lives as long as the process."""

    def logPrefix(self) -> str:
        """Name this reader in Twisted's log."""
        return "signals"
