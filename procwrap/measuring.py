"""Part of the composition root: /metrics, imported only where HTTP is served."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.web.iweb import IRequest

import twisted
from procwrap import __version__
from procwrap.children.ownusage import own_usage
from procwrap.core.board import Board
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.histogram import Histogram
from procwrap.core.roster import Derived, Roster
from procwrap.core.tallies import Tallies
from procwrap.metrics.collector import Collector, Own, Sources
from procwrap.optional import EventCounts
from procwrap.outputs import Outputs
from procwrap.spec.plan import MergeSettings
from procwrap.web.answers import Handler, Reply
from procwrap.web.delay import Delay
from procwrap.web.inspect import NOTHING
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
        commands: the command line of each process, as it may be shown.
        started_wall: when procwrap began, in seconds since the epoch.
        event_counts: how many events were sent.

    Attributes:
        delay: how late timers fire, once it has begun.
    """

    _roster: Roster
    _commands: Mapping[str, str]
    _board: Board
    _heartbeats: Heartbeats
    _outputs: Outputs
    _tallies: Tallies
    _reactor: Any
    _started_wall: float
    _event_counts: EventCounts
    _merge: Handler | None = None
    _merging: Histogram | None = None
    _merge_log: MergeLog | None = None
    delay: Delay = field(init=False)

    def merge(self, request: IRequest) -> Reply | Deferred[Reply]:
        """Answer /prommerge."""
        return NOTHING if self._merge is None else self._merge(request)

    def begin_merging(self, settings: MergeSettings) -> None:
        """Merge from now on, if nobody does yet and there is something to merge.

        It is measured how long that takes, and shown which targets its log says are up.
        """
        if self._merge is not None or all(spec.prom_target is None for spec in self._roster.values()):
            return
        from procwrap.scraping import make_merging
        from procwrap.web.mergelog import MergeLog

        self._merge_log = MergeLog(self._board.tell, settings.suppress_errors)
        self._merging = Histogram(MERGE_SECONDS)
        merge = make_merging(self._roster, settings, self._board, self._reactor, self._merge_log)
        self._merge = timed(merge, self._reactor, self._merging)

    def begin(self) -> Handler:
        """Begin to measure the reactor; return what answers /metrics."""
        self.delay = Delay(self._reactor)
        self.delay.begin()
        return Metrics(Collector(self._sources(self.delay.histogram)), slices(self._reactor)).asked

    def _sources(self, delay: Histogram) -> Sources:
        return Sources(
            lambda: self._board.snapshot,
            self._tallies,
            self._commands,
            self._beat_period,
            self._outputs.streams.counts,
            self._outputs.dropped,
            delay,
            Own(own_usage, self._started_wall, _build()),
            lambda: self._merging,
            self._targets,
            Derived(self._roster, lambda process: process.memory_limit),
            self._event_counts,
        )

    def _targets(self) -> Mapping[str, bool]:
        return {} if self._merge_log is None else self._merge_log.up

    def _beat_period(self, name: str) -> float | None:
        beat = self._heartbeats.last(name)
        return None if beat is None else beat.period


def _build() -> dict[str, str]:
    return {
        "version": __version__,
        "python": sys.version.split()[0],
        "twisted": twisted.__version__,
    }
