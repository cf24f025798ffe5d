"""How much a process has written: counted over all of its runs."""

from __future__ import annotations

from attrs import define


@define(eq=False)
class Counts:
    """One output of one process.

    Attributes:
        lines: of the child that have come out; one that was cut into pieces counts once.
        size: bytes that the child wrote, line ends included.
    """

    lines: int = 0
    size: int = 0
