"""The program that this project is about, in the three ways in which its speed is promised."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attrs import field, frozen

from tests.benchmarks.programs.native import native_environ, write_native
from tests.benchmarks.programs.program import MANY, Child, Launch, Place, Role

CHECKOUT = Path(__file__).parents[3]


def procwrap_command() -> Launch:
    """The console script beside the Python that runs the benchmarks, else ``python -m procwrap``."""
    script = Path(sys.executable).with_name("procwrap")
    if script.exists():
        return Launch((str(script),))
    return Launch((sys.executable, "-m", "procwrap"), {"PYTHONPATH": str(CHECKOUT)})


def _absent() -> str:
    present = (CHECKOUT / "procwrap" / "__main__.py").exists() or len(procwrap_command().argv) == 1
    return "" if present else "python -m procwrap does not exist in this checkout"


@frozen
class Procwrap:
    """``procwrap --config FILE`` with HTTP served.

    Attributes:
        settings: Keys given to every process besides those of native.py, such as logFormat.
    """

    label: str = "procwrap"
    settings: Mapping[str, Any] = field(factory=dict)
    absent: str = field(factory=_absent)
    role: ClassVar[Role] = "subject"
    most_children: ClassVar[int] = MANY
    serves_readiness: ClassVar[bool] = True

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Write the YAML and give it to the host."""
        command = procwrap_command()
        config = write_native(place, children, self.settings)
        options = ("--config", str(config), "--readiness-file", str(place.directory / "started"))
        return Launch((*command.argv, *options), {**command.environ, **native_environ(place)})


@frozen
class ProcwrapWrapping:
    """``procwrap -- command``: one child, inherited stdio, no HTTP; what tini does."""

    label: str = "procwrap --"
    absent: str = field(factory=_absent)
    role: ClassVar[Role] = "subject"
    most_children: ClassVar[int] = 1
    serves_readiness: ClassVar[bool] = False

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Wrap the one child."""
        command = procwrap_command()
        options = ("--readiness-file", str(place.directory / "started"), "--")
        return Launch((*command.argv, *options, *children[0].argv), command.environ)
