"""What is counted over time and is no part of the snapshot: kept aside, so that the snapshot stays fast.

A process has one record, whatever happens to it: ten thousand restarts make it no larger.
"""

from __future__ import annotations

from attrs import define, field

from procwrap.core.events import Ended, Event, RoundEnded, Spawned, UsageSampled
from procwrap.core.histogram import Histogram
from procwrap.core.locks import LockAsked, LockChanged, LockTally
from procwrap.core.reloads import Forgotten
from procwrap.core.snapshot import Snapshot


@define(eq=False)
class Tally:
    """One process, counted since procwrap began.

    Attributes:
        successes: how often one of its probes succeeded.
        failures: how often one failed.
        probes: how long its probes took, by their type.
        cpu: seconds of CPU time of all its runs; it never shrinks.
        last_run: seconds that the last run lasted that is over; None before there was one.
        lock: its shared lock; None when it has none.
    """

    successes: int = 0
    failures: int = 0
    probes: dict[str, Histogram] = field(factory=dict)
    cpu: float = 0.0
    last_run: float | None = None
    lock: LockTally | None = None
    _spent: float = 0.0
    """What the current run had spent when that was last looked at."""

    def begin_run(self) -> None:
        """Note that a run begins."""
        self._spent = 0.0

    def note_cpu(self, spent: float) -> None:
        """Note what the current run has spent.

        It can be less than before: what a descendant has spent is unknown once it has ended and nobody has
        waited for it. What the others spend from then on counts all the same.
        """
        self.cpu += max(0.0, spent - self._spent)
        self._spent = spent

    def note_lock(self, event: LockAsked | LockChanged) -> None:
        """Count what happens to its lock."""
        if self.lock is None:
            self.lock = LockTally()
        self.lock.note(event)

    def note_round(self, event: RoundEnded) -> None:
        """Count each probe of a round."""
        for result in event.results:
            if result.succeeded:
                self.successes += 1
            else:
                self.failures += 1
            took = self.probes.get(result.probe)
            if took is None:
                took = self.probes[result.probe] = Histogram()
            took.add(result.took)


@define(eq=False)
class Tallies:
    """Counts what the board tells of the processes of the plan."""

    _by_name: dict[str, Tally] = field(factory=dict)

    def of(self, name: str) -> Tally:
        """Return the record of a process of the plan."""
        return self._by_name.get(name) or Tally()

    def note(self, snapshot: Snapshot, event: Event) -> None:
        """Count an event; a watcher of the board."""
        if isinstance(event, Forgotten):
            self._by_name.pop(event.name, None)
        elif isinstance(event, UsageSampled):
            for name, usage in event.usages.items():
                self._record(snapshot, name).note_cpu(usage.cpu)
        elif isinstance(event, RoundEnded):
            self._record(snapshot, event.name).note_round(event)
        elif isinstance(event, LockAsked | LockChanged):
            self._record(snapshot, event.name).note_lock(event)
        elif isinstance(event, Spawned):
            self._record(snapshot, event.name).begin_run()
        elif isinstance(event, Ended):
            tally = self._record(snapshot, event.name)
            tally.last_run = event.ran_for
            if event.cpu is not None:
                tally.note_cpu(event.cpu)

    def _record(self, snapshot: Snapshot, name: str) -> Tally:
        tally = self._by_name.get(name)
        if tally is None:
            tally = Tally()
            if name in snapshot.processes or not snapshot.declared:
                # Else these are late news of one that was forgotten: its lock was given back, say.
                self._by_name[name] = tally
        return tally
