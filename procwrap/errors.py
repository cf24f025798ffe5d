"""The errors a user can meet; the docstring of each is what it means at 3 a.m."""

from __future__ import annotations

import enum


class ExitStatus(enum.IntEnum):
    """Exit codes of procwrap itself; a child's own code passes through unchanged."""

    DONE = 0
    CANNOT_START = 1
    USAGE = 2
    NO_HOST = 3
    CANNOT_EXECUTE = 126
    NOT_FOUND = 127
    INTERRUPTED = 130


class ProcwrapError(Exception):
    """Something that ends procwrap with one line and an exit code, never with a traceback."""

    exit_status = ExitStatus.CANNOT_START


class UsageError(ProcwrapError):
    """The command line, the environment or the config asks for something that cannot be."""

    exit_status = ExitStatus.USAGE


class CannotStartError(ProcwrapError):
    """The host itself cannot start: a socket is taken, a directory is missing."""


class SpawnError(ProcwrapError):
    """A child could not be started as asked; ``exit_status`` is what a shell would have returned."""

    def __init__(self, reason: str, exit_status: ExitStatus = ExitStatus.CANNOT_EXECUTE) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exit_status = exit_status


class ProbeError(ProcwrapError):
    """A probe looked and did not see what was expected.

    Attributes:
        reason: one line saying what was probed, what was expected and what was seen, without secrets.
        excused: the process has asked for patience: the failure is told, and does not count.
    """

    def __init__(self, reason: str, *, excused: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.excused = excused


class OrderRefusedError(ProcwrapError):
    """An operator asked for something that cannot be now; the text says why, on one line."""


class OrderFailedError(OrderRefusedError):
    """An order was carried out, and the process did not come up, or was wanted otherwise meanwhile."""


class NoHostError(ProcwrapError):
    """There is no procwrap to talk to, or what is there does not answer as one.

    Attributes:
        gone: whether nobody is there at all, unlike somebody who cannot be understood.
    """

    exit_status = ExitStatus.NO_HOST

    def __init__(self, reason: str, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone
