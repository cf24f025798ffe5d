"""What is wrong with a config: every problem at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from procwrap.config.node import Mark
from procwrap.core.printable import printable
from procwrap.errors import UsageError

MOST_SHOWN = 100
"""A hundred lines are read by nobody, a hundred thousand fill a disk."""

_START = Mark(0, 0)


@frozen
class Problem:
    """One thing that is wrong.

    Attributes:
        mark: where it stands, or None when it concerns the whole text.
        path: the keys that lead to it, such as ``processes[0].readiness``; empty for the whole.
        message: what is wrong and what is right instead, in one line and without secrets.
    """

    mark: Mark | None
    path: str
    message: str

    def line(self, source: str) -> str:
        """Write it as ``FILE:LINE:COLUMN: path: message``."""
        place = printable(source)
        if self.mark is not None:
            place += f":{self.mark.line}:{self.mark.column}"
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(UsageError):
    """The config cannot be taken as it is; each line says where, what, and what is right instead.

    Attributes:
        source: the name of the file, ``CONFIG`` or ``stdin``.
        problems: all of them, in the order of the text.
    """

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        found = dict.fromkeys(problems)
        self.source = source
        self.problems: Sequence[Problem] = tuple(sorted(found, key=_place))
        lines = [problem.line(source) for problem in self.problems[:MOST_SHOWN]]
        if len(self.problems) > MOST_SHOWN:
            lines.append(f"{printable(source)}: and {len(self.problems) - MOST_SHOWN} more problems")
        super().__init__("\n".join(lines))


class WrongValueError(ValueError):
    """A value is not what its place wants; whoever knows the place makes a Problem of it."""


def _place(problem: Problem) -> tuple[Mark, str, str]:
    return problem.mark or _START, problem.path, problem.message
