"""Two programs that probe: procwrap, a probe for each child, and asyncio with nothing around it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attrs import evolve, field, frozen

from tests.benchmarks.programs.procwrap import Procwrap
from tests.benchmarks.programs.program import MANY, Child, Launch, Place, Role

SCRIPT = Path(__file__).parents[1] / "asyncprober.py"
KINDS = ("tcp", "http")
NONE = "none"


@frozen
class ProbingProcwrap(Procwrap):
    """``procwrap --config FILE`` whose processes each have a readiness check of one second."""

    def looking(self, kind: str, port: int) -> ProbingProcwrap:
        """The same with a probe of this kind in every process."""
        return evolve(self, settings=_settings(kind, port))


def _settings(kind: str, port: int) -> Mapping[str, Any]:
    probes = {
        "tcp": {"tcp": {"socket": f"127.0.0.1:{port}"}},
        "http": {"http": {"url": f"http://127.0.0.1:{port}/ready"}},
    }
    return {"readiness": {"delay": "0s", "period": "1s", **probes[kind]}} if kind in probes else {}


@frozen
class AsyncProber:
    """The same probes in sixty lines of asyncio, without children: what there is to pay in any case."""

    kind: str = NONE
    port: int = 0
    label: ClassVar[str] = "asyncio alone"
    role: ClassVar[Role] = "peer"
    most_children: ClassVar[int] = MANY
    serves_readiness: ClassVar[bool] = False
    absent: str = field(default="", init=False)

    def looking(self, kind: str, port: int) -> AsyncProber:
        """The same with probes of this kind."""
        return evolve(self, kind=kind, port=port)

    def launch(self, place: Place, children: Sequence[Child]) -> Launch:
        """Probe as often as there would be children."""
        del place
        return Launch((sys.executable, str(SCRIPT), self.kind, str(self.port), str(len(children))))
