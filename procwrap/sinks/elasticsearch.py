"""Events to Elasticsearch or OpenSearch, the same as to the UDP server, each exactly once."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred

from procwrap.core.events import Event
from procwrap.core.snapshot import Snapshot
from procwrap.sinks.delivery import Delivery
from procwrap.sinks.elasticsearchbulk import Kept
from procwrap.sinks.podlabels import PodLabels
from procwrap.sinks.seedevents import SeedEvent, SeedEvents
from procwrap.sinks.shipping import NO_BOUND, Bounds

BOUNDS = Bounds(most_records=10_000, batch_bytes=NO_BOUND, batch_records=500, linger=1.0)
MOST_HELD = 1_000
"""Events that wait for the labels file to be read; if there are more, they get the labels as they were."""


@define(eq=False)
class ElasticsearchSink:
    """A Board watcher that keeps events in an index.

    Args:
        wall: seconds since the epoch.
    """

    _events: SeedEvents
    _labels: PodLabels
    _delivery: Delivery[Kept]
    _wall: Callable[[], float]
    _held: list[tuple[float, SeedEvent]] = field(init=False, factory=list)
    _number: int = field(init=False, default=0)

    @property
    def counts(self) -> dict[str, int]:
        """What became of events: ``sent``, ``refused`` by the server, ``dropped`` here."""
        delivery = self._delivery
        return {"sent": delivery.sent, "refused": delivery.refused, "dropped": delivery.dropped}

    def begin(self) -> None:
        """Find the labels before there is anything to tell."""
        self._labels.on_looked.append(self._hand_over)
        self._labels.look()

    def watch(self, snapshot: Snapshot, event: Event) -> None:
        """Tell what there is to tell about an event."""
        told = [(self._wall(), each) for each in self._events.of(snapshot, event)]
        if not told:
            return
        self._held += told
        self._labels.look()
        if not self._labels.looking or len(self._held) >= MOST_HELD:
            self._hand_over()

    def flush(self) -> Deferred[None]:
        """Send what there is; fires when that is done, or when it has taken too long."""
        self._hand_over()
        return self._delivery.flush()

    def _hand_over(self) -> None:
        held, self._held = self._held, []
        for wall, event in held:
            self._number += 1
            self._delivery.add(Kept(self._number, wall, event, self._labels.current))
