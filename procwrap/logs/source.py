"""Where a line came from: the facts that stand in each of its records."""

from __future__ import annotations

from attrs import frozen


@frozen
class Source:
    """One stream of one run of one process."""

    name: str
    """The process's name in the config, or the replica's."""
    out: str
    """``stdout`` or ``stderr``, the one the child really wrote to."""
    pid: int
    """The pid of this run."""
    labels: tuple[tuple[str, str], ...] = ()
    """The process's labels in the order of the config."""
    hook: str = ""
    """``postStart`` or ``preStop``, when it is that and not the process itself that wrote it."""
