"""How a failed probe is put in one line: ``what: what was seen, expected what was expected``."""

from __future__ import annotations

import os

from twisted.internet import error as failed

from procwrap.core.oneline import LONGEST, one_line
from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe

__all__ = ["LONGEST", "missed", "one_line", "seconds", "trouble", "unexpected"]


def missed(probe: IProbe, seen: str) -> ProbeError:
    """Build the error of a probe that saw something else than it expected."""
    return ProbeError(one_line(f"{probe.target}: {seen}, expected {probe.expected}"))


def unexpected(probe: IProbe, error: BaseException | None) -> ProbeError:
    """Return the error itself if it says what was seen, else one that says what went wrong."""
    if isinstance(error, ProbeError):
        return error
    return missed(probe, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def seconds(duration: float) -> str:
    """Write a duration as people do: ``2s``, ``0.5s``."""
    return f"{round(duration, 3):g}s"


def trouble(error: failed.ConnectError | OSError) -> str:
    """Say in the system's own words why something could not be done: ``connection refused``."""
    if isinstance(error, OSError):
        said = error.strerror or str(error)
    elif isinstance(error.osError, int):
        said = os.strerror(error.osError)
    else:
        said = "no answer" if isinstance(error, failed.TimeoutError) else str(error)
    return said.rstrip(".").lower()
