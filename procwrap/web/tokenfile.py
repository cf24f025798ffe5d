"""A token that stands in a file, as Kubernetes mounts secrets; it is read again while we run."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from procwrap.core.oneline import one_line
from procwrap.core.token import LONGEST, is_token
from procwrap.web.access import TokenUnreadableError, fingerprint

FRESH = 1.0
"""Seconds for which what was read is taken for true: however many ask, the file is read once in this time."""
PATIENCE = 5.0
"""Seconds that a request waits for the file, which may lie on a file system that does not answer."""


def read_token(path: str) -> bytes:
    """Read a token; what this waits for may never come, so it is not for the reactor's thread.

    Raises:
        OSError: the file cannot be read.
        ValueError: it holds no token; the message does not show what it holds.
    """
    # Somebody may have put a FIFO or a terminal there.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no regular file")
        found = os.read(descriptor, LONGEST + 1)
    finally:
        os.close(descriptor)
    if len(found) > LONGEST:
        raise ValueError(f"it is larger than {LONGEST} bytes")
    token = found.rstrip(b"\r\n")
    if not token:
        raise ValueError("it is empty")
    if not is_token(token.decode("latin-1")):
        raise ValueError("expected one token: printable ASCII characters without white space")
    return token


Ask = Callable[[Callable[[str], bytes], str], Deferred[bytes]]
"""Calls a function with a path where that may take its time."""


@define(eq=False)
class TokenFile:
    """Knows the token of a file.

    Attributes:
        ask: reads the file in a thread.
        warn: called with one line when the token cannot be read any more, or for another reason than before.
    """

    _path: str
    _ask: Ask
    _clock: IReactorTime
    _warn: Callable[[str], None]
    _known: bytes | None = field(default=None, repr=False)
    _trouble: str = ""
    _read_at: float | None = None

    def begin(self) -> None:
        """Read it for the first time, so that it is told at the start if that does not work."""
        with suppress(TokenUnreadableError):
            current = self.current()
            if isinstance(current, Deferred):
                current.addErrback(lambda failure: failure.trap(TokenUnreadableError))

    def current(self) -> bytes | Deferred[bytes]:
        """Return the fingerprint of the token, later if the file has to be read.

        Raises:
            TokenUnreadableError: nobody knows it; the Deferred fails with this too.
        """
        if self._read_at is not None and self._clock.seconds() < self._read_at + FRESH:
            return self._answer()
        try:
            reading = self._ask(read_token, self._path)
        except RuntimeError as error:  # no thread can be started
            self._failed(Failure(error))
            return self._answer()
        reading.addTimeout(PATIENCE, self._clock)
        reading.addCallbacks(self._read, self._failed)
        return reading.addCallback(lambda _: self._answer())

    def _answer(self) -> bytes:
        if self._known is None:
            raise TokenUnreadableError
        return self._known

    def _read(self, token: bytes) -> None:
        self._read_at = self._clock.seconds()
        self._known, self._trouble = fingerprint(token), ""

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            failure.raiseException()  # the client has left; that says nothing about the file
        self._read_at = self._clock.seconds()
        self._known = None
        trouble = _reason(failure.value)
        if trouble != self._trouble:
            self._trouble = trouble
            where = f"cannot read the API token from {self._path}"
            self._warn(one_line(f"{where}: {trouble}; until that works, no token admits anybody"))


def _reason(error: BaseException | None) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, ValueError):
        return str(error)
    return "it could not be read in time"
