"""Which of the things that happen are told as the seed tells them, and in which words."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping

from attrs import define, field, frozen

from procwrap.core.commandline import shown_command
from procwrap.core.events import (
    Ended,
    Event,
    RestartCause,
    Restarting,
    RoundEnded,
    ShutdownBegan,
    SignalReceived,
)
from procwrap.core.preempted import Preempted, PreemptionCounted, PreemptionWatched
from procwrap.core.snapshot import Snapshot
from procwrap.spec.process import ProcessSpec


@frozen
class SeedEvent:
    """One event.

    Attributes:
        name: what happened; also the label ``event_type``.
        labels: its own ones, which go before all others.
        op: what the server does with it: ``event`` keeps it, ``inc`` adds its value to a counter.
        value: of that counter.
    """

    name: str
    labels: Mapping[str, str] = field(factory=dict)
    op: str = "event"
    value: int = 1


SIGNALS = {
    signal.SIGTERM: "termination",
    signal.SIGQUIT: "termination",
    signal.SIGINT: "interrupt",
    signal.SIGUSR1: "usr",
    signal.SIGUSR2: "usr",
}
"""What the signals to procwrap are called."""

_TOLD_RESTARTS = (RestartCause.PROBE, RestartCause.OOM, RestartCause.LOCK)


@define(eq=False)
class SeedEvents:
    """Translates what the board tells.

    Args:
        specs: the processes of the plan.
        successes: tell of each probe that succeeded, too.
    """

    _specs: Mapping[str, ProcessSpec]
    _successes: bool = False
    _killed: bool = field(init=False, default=False)

    def of(self, snapshot: Snapshot, event: Event) -> Iterator[SeedEvent]:
        """Return what to tell about an event."""
        match event:
            case RoundEnded():
                yield from self._probes(event)
            case SignalReceived() if event.signal in SIGNALS:
                yield _termination(SIGNALS[signal.Signals(event.signal)])
            case ShutdownBegan():
                # After SIGINT everything is killed at once: ``interrupt`` has said that already.
                self._killed = event.signal == signal.SIGINT
            case Ended() if snapshot.shutdown and not self._killed and self._was_forced(event):
                self._killed = True
                yield _termination("kill")
            case PreemptionWatched():
                yield SeedEvent("preempted", op="inc", value=0)
            case Preempted():
                yield SeedEvent("preempted")
                yield SeedEvent("preempted", op="inc")
            case PreemptionCounted():
                yield SeedEvent("preemption_count")
            case Restarting() if event.cause in _TOLD_RESTARTS:
                spec = self._specs[event.name]
                yield SeedEvent("restart", {"command": shown_command(spec), "process_name": event.name})

    def _probes(self, event: RoundEnded) -> Iterator[SeedEvent]:
        for result in event.results:
            if self._successes or not result.succeeded:
                status = "true" if result.succeeded else "false"
                labels = {"probe": result.probe, "process_name": event.name, "status": status}
                yield SeedEvent("readiness", labels)

    def _was_forced(self, event: Ended) -> bool:
        asked = self._specs[event.name].stop.signal
        return event.end.signal == signal.SIGKILL and asked != signal.SIGKILL


def _termination(name: str) -> SeedEvent:
    return SeedEvent("termination", {"signal": name})
