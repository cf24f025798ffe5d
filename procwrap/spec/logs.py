"""How the lines of a process are written."""

from __future__ import annotations

import enum

from attrs import frozen


class LogFormat(enum.Enum):
    """The form of a record on stdout."""

    LOGFMT = "logfmt"
    AUTO = "auto"
    JSON = "json"
    FREE = "free"


@frozen
class LogFile:
    """A rotating file that gets the same records as stdout.

    Attributes:
        path: where the newest records are; older ones are ``path.1`` … ``path.N``.
        max_bytes: size at which the file is rotated.
        backups: how many older files are kept.
    """

    path: str
    max_bytes: int = 10 * 1024 * 1024
    backups: int = 3


@frozen
class LogSpec:
    """What becomes of one process's output.

    Attributes:
        format: None takes the format of the whole (``logs.format``, ``LOG_FORMAT``).
        max_line_bytes: longer lines are cut into several records.
        discard: all of it is read and thrown away.
    """

    format: LogFormat | None = None
    file: LogFile | None = None
    max_line_bytes: int = 256 * 1024
    discard: bool = False
