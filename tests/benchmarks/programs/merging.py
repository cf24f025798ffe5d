"""Two programs that merge metrics: procwrap, whose processes have a target each, and prometheus-client."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from attrs import evolve, field, frozen

from tests.benchmarks.programs.native import native_environ, native_yaml
from tests.benchmarks.programs.procwrap import Procwrap, procwrap_command
from tests.benchmarks.programs.program import MANY, Child, Launch, Place, Role

SCRIPT = Path(__file__).parents[1] / "naivemerger.py"


@frozen
class MergingProcwrap(Procwrap):
    """``procwrap --config FILE`` whose processes each have a ``promTarget``."""

    targets: tuple[str, ...] = ()

    def asking(self, targets: Sequence[str]) -> MergingProcwrap:
        """The same with these targets, one a process."""
        return evolve(self, targets=tuple(targets))

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Write the YAML, an entry a child, and give it to the host."""
        config = place.directory / "processes.yaml"
        entries = (
            native_yaml([child], {"promTarget": url})
            for child, url in zip(children, self.targets, strict=True)
        )
        config.write_text("".join(entries))
        command = procwrap_command()
        options = ("--config", str(config), "--readiness-file", str(place.directory / "started"))
        return Launch((*command.argv, *options), {**command.environ, **native_environ(place)})


def _absent() -> str:
    return "" if find_spec("prometheus_client") else "prometheus-client is not installed for this Python"


@frozen
class NaiveMerger:
    """What a few lines around prometheus-client do, without children."""

    targets: tuple[str, ...] = ()
    absent: str = field(factory=_absent)
    label: ClassVar[str] = "prometheus-client"
    role: ClassVar[Role] = "peer"
    most_children: ClassVar[int] = MANY
    serves_readiness: ClassVar[bool] = False

    def asking(self, targets: Sequence[str]) -> NaiveMerger:
        """The same with these targets."""
        return evolve(self, targets=tuple(targets))

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Serve on the place's port."""
        del children
        return Launch((sys.executable, str(SCRIPT), str(place.port), *self.targets))
