"""The ProcessProtocol of every child: it carries bytes to their stream and the end to whoever waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from procwrap.children.output import Stream
from procwrap.core.events import End


class ChildProtocol(ProcessProtocol):
    """Knows nothing but where things go.

    Args:
        streams: where the bytes of each descriptor go.
        exited: called once when the process has ended.
        drained: called once when moreover everything it wrote has been read.
    """

    def __init__(
        self, streams: Mapping[int, Stream], exited: Callable[[End], None], drained: Callable[[], None]
    ) -> None:
        self._streams = streams
        self._exited = exited
        self._drained = drained

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Pass on what was read from one of its descriptors."""
        self._streams[childFD].receive(data)

    def childConnectionLost(self, childFD: int) -> None:
        """Tell the stream that nothing more will come."""
        self._streams[childFD].finish()

    def processExited(self, reason: Failure) -> None:
        """Tell how it ended."""
        self._exited(end_of(reason))

    def processEnded(self, reason: Failure) -> None:
        """Tell that nothing of it is left to read."""
        self._drained()


def reason_of(end: End) -> Failure:
    """Say an end in Twisted's words."""
    if end.code == 0:
        return Failure(ProcessDone(0))
    return Failure(ProcessTerminated(end.code, end.signal))


def end_of(reason: Failure) -> End:
    """Say in ours how Twisted says a process ended."""
    error: Any = reason.value
    return End(code=error.exitCode if error.signal is None else None, signal=error.signal)
