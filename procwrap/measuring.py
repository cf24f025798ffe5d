"""Part of the composition root: /metrics, imported only where HTTP is served."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define

import twisted
from procwrap import __version__
from procwrap.children.ownusage import own_usage
from procwrap.core.board import Board
from procwrap.core.commandline import shown_command
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.histogram import Histogram
from procwrap.core.tallies import Tallies
from procwrap.metrics.collector import Collector, Own, Sources
from procwrap.optional import EventCounts
from procwrap.outputs import Outputs
from procwrap.spec.plan import Plan
from procwrap.web.answers import Handler
from procwrap.web.delay import Delay
from procwrap.web.metrics import Metrics, timed
from procwrap.web.slices import slices

if TYPE_CHECKING:
    from procwrap.web.mergelog import MergeLog

MERGE_SECONDS = (0.001, 0.005, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 20.0, 50.0)
"""The bounds of process-wrapper."""


@define(eq=False)
class Measuring:
    """Who answers /metrics, and who is measured for it.

    Args:
        started_wall: when procwrap began, in seconds since the epoch.
        event_counts: how many events were sent.
    """

    _plan: Plan
    _board: Board
    _heartbeats: Heartbeats
    _outputs: Outputs
    _tallies: Tallies
    _reactor: Any
    _started_wall: float
    _event_counts: EventCounts
    _merging: Histogram | None = None
    _merge_log: MergeLog | None = None

    def watched(self, merge: Handler, log: MergeLog) -> Handler:
        """Measure how long /prommerge takes, and show which targets the log says are up."""
        self._merging, self._merge_log = Histogram(MERGE_SECONDS), log
        return timed(merge, self._reactor, self._merging)

    def begin(self) -> Handler:
        """Begin to measure the reactor; return what answers /metrics."""
        delay = Delay(self._reactor)
        delay.begin()
        return Metrics(Collector(self._sources(delay.histogram)), slices(self._reactor)).asked

    def _sources(self, delay: Histogram) -> Sources:
        return Sources(
            lambda: self._board.snapshot,
            self._tallies,
            {process.name: shown_command(process) for process in self._plan.processes},
            self._beat_period,
            self._outputs.log_counts,
            self._outputs.dropped,
            delay,
            Own(own_usage, self._started_wall, _build()),
            self._merging,
            self._targets,
            _memory_limits(self._plan),
            self._event_counts,
        )

    def _targets(self) -> Mapping[str, bool]:
        return {} if self._merge_log is None else self._merge_log.up

    def _beat_period(self, name: str) -> float | None:
        beat = self._heartbeats.last(name)
        return None if beat is None else beat.period


def _memory_limits(plan: Plan) -> dict[str, int]:
    limits = ((process.name, process.memory_limit) for process in plan.processes)
    return {name: limit for name, limit in limits if limit is not None}


def _build() -> dict[str, str]:
    return {
        "version": __version__,
        "python": sys.version.split()[0],
        "twisted": twisted.__version__,
    }
