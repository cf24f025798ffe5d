"""Part of the composition root: what operators may know about procwrap itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field

from procwrap import __version__
from procwrap.children.ownusage import own_usage
from procwrap.core.histogram import Histogram
from procwrap.outputs import Outputs
from procwrap.web.connections import BoundedSite
from procwrap.web.delay import Delay


@define(eq=False)
class Stats:
    """Figures about procwrap's own work, taken when somebody asks.

    Args:
        began: seconds of the reactor's clock when procwrap began.
    """

    _clock: Any
    _outputs: Outputs
    _delay: Delay
    _events: Callable[[], Mapping[tuple[str, str], int]]
    _began: float
    _sites: dict[str, BoundedSite] = field(factory=dict)

    def count(self, name: str, site: BoundedSite) -> BoundedSite:
        """Have the connections of a site counted under this name; return the site."""
        self._sites[name] = site
        return site

    def take(self) -> dict[str, Any]:
        """Return them; seconds and bytes."""
        usage = own_usage()
        return {
            "version": __version__,
            "pid": os.getpid(),
            "uptime": round(self._clock.seconds() - self._began, 3),
            "memoryBytes": usage.memory,
            "cpuSeconds": usage.cpu,
            "threads": usage.threads,
            "openFiles": usage.open_files,
            "reactorDelay": _delays(self._delay),
            "connections": {name: site.connections for name, site in self._sites.items()},
            "log": {"queuedBytes": self._outputs.waiting(), "droppedRecords": dict(self._outputs.dropped())},
            "events": {f"{sink} {result}": count for (sink, result), count in self._events().items()},
        }


def _delays(delay: Delay) -> dict[str, float | None]:
    """How late timers fired: the last one, the mean, and what 99 of 100 did not exceed."""
    counts = delay.histogram.cumulative()
    total = counts[-1]
    mean = delay.histogram.total / total if total else None
    return {"last": delay.last, "mean": mean, "p99": _quantile(delay.histogram, counts)}


def _quantile(histogram: Histogram, counts: Sequence[int]) -> float | None:
    """The bound of the bucket with the 99th percentile; None without values, and when it has no bound."""
    if not counts[-1]:
        return None
    bounds = zip(histogram.bounds, counts, strict=False)
    return next((bound for bound, count in bounds if count >= 0.99 * counts[-1]), None)
