"""The programs without a config: tini wraps one command, s6-log ends a pipe, the pipe alone is the floor."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen

from tests.benchmarks.programs.program import Child, Launch, Place, Role


def not_found(program: str, package: str) -> str:
    """Why a program of the system cannot be measured, or nothing when it can."""
    return "" if shutil.which(program) else f"{program} is not installed (Debian's package {package})"


@frozen
class Tini:
    """``tini -- command``."""

    absent: str = field(factory=lambda: not_found("tini", "tini"))
    label: ClassVar[str] = "tini"
    role: ClassVar[Role] = "peer"
    most_children: ClassVar[int] = 1
    serves_readiness: ClassVar[bool] = False

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Wrap the one child; -s because here it is not PID 1."""
        del place
        return Launch(("tini", "-s", "--", *children[0].argv))


@frozen
class S6Log:
    """``child | s6-log T 1``: a timestamp in front of each line, to stdout, and nothing else.

    Attributes:
        stamping: ``T``, a date and time for people, as logfmt has it, or ``t``, TAI64N in hexadecimal, which
            is a little less work.
    """

    stamping: str
    absent: str = field(factory=lambda: not_found("s6-log", "s6"))
    role: ClassVar[Role] = "peer"
    most_children: ClassVar[int] = 1
    serves_readiness: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """Its name with the one thing that differs."""
        return f"s6-log {self.stamping}"

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """A shell joins the two and becomes the logger."""
        del place
        return Launch(("/bin/sh", "-c", f"{shlex.join(children[0].argv)} | exec s6-log {self.stamping} 1"))


@frozen
class PipeAlone:
    """The child writes straight to the reader: what the benchmark itself costs."""

    label: ClassVar[str] = "(no program)"
    role: ClassVar[Role] = "floor"
    most_children: ClassVar[int] = 1
    serves_readiness: ClassVar[bool] = False
    absent: ClassVar[str] = ""

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Just the child."""
        del place
        return Launch(children[0].argv)
