"""Turns what is true at this moment into samples; nothing is counted here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from attrs import define, field, frozen

from procwrap.core.events import RestartCause
from procwrap.core.histogram import Histogram
from procwrap.core.lifecycle import State
from procwrap.core.limits import Usage
from procwrap.core.locks import LockTally, Outcome
from procwrap.core.snapshot import ProcessView, Snapshot
from procwrap.core.tallies import Tallies
from procwrap.metrics import family as families
from procwrap.metrics.family import NAME
from procwrap.metrics.page import Page, label

HOST = "procwrap"
"""What procwrap itself is called among the processes."""

LogCount = tuple[str, str, int, int]
"""A process, one of its outputs, and how many lines and bytes have come out of it."""


@frozen
class Own:
    """procwrap itself.

    Attributes:
        usage: what it uses now, without its descendants.
        started_wall: seconds since the epoch.
        build: label to value.
    """

    usage: Callable[[], Usage]
    started_wall: float
    build: Mapping[str, str]


def _nothing() -> Mapping[str, bool]:
    return {}


@frozen
class Sources:
    """Where the figures come from; each is asked once a scrape, or once a scrape and process.

    Attributes:
        commands: the command lines of the processes, without secrets.
        beat_period: seconds between the last two heartbeats of a process; None when there were no two.
        log_counts: of the outputs that have been opened.
        dropped: records that were lost, by sink.
        delay: how late timers fire.
        merging: how long /prommerge took; None when there is nothing to merge.
        targets: whether its targets answered the last time, by process.
        memory_limits: bytes of resident memory that processes may have; without those that have no limit.
        events: how many there were, by sink and by what became of them.
    """

    snapshot: Callable[[], Snapshot]
    tallies: Tallies
    commands: Mapping[str, str]
    beat_period: Callable[[str], float | None]
    log_counts: Callable[[], Iterable[LogCount]]
    dropped: Callable[[], Mapping[str, int]]
    delay: Histogram
    own: Own
    merging: Callable[[], Histogram | None] = lambda: None
    targets: Callable[[], Mapping[str, bool]] = _nothing
    memory_limits: Mapping[str, int] = field(factory=dict)
    events: Callable[[], Mapping[tuple[str, str], int]] = dict


@frozen
class _Texts:
    """The labels of one process, written once."""

    name: str
    states: tuple[tuple[State, str], ...]
    causes: tuple[tuple[RestartCause, str], ...]
    asked: tuple[tuple[Outcome, str], ...]
    success: str
    failed: str
    restart: str
    oom: str


@define(eq=False)
class Collector:
    """Writes everything on a page."""

    _sources: Sources
    _texts: dict[str, tuple[str, _Texts]] = field(factory=dict)

    def collect(self, page: Page) -> Iterator[None]:
        """Add all samples, with a pause after each process.

        What is true of the processes is taken from one snapshot, however long the pauses are.
        """
        snapshot = self._sources.snapshot()
        if len(self._texts) > len(snapshot.processes):
            self._texts = {name: self._texts[name] for name in snapshot.processes if name in self._texts}
        for view in snapshot.processes.values():
            self._add_process(page, view)
            yield
        for name, out, lines, size in self._sources.log_counts():
            labels = f"{label(NAME, name)},{label('out', out)}"
            page.add(families.LOG_LINES, labels, lines)
            page.add(families.LOG_BYTES, labels, size)
        yield
        self._add_host(page, snapshot)

    def _add_process(self, page: Page, view: ProcessView) -> None:
        texts = self._texts_of(view.name)
        for state, labels in texts.states:
            page.add(families.STATE, labels, int(state is view.state))
        page.add(families.HEALTHY, texts.name, int(view.fine))
        self._add_counted(page, view, texts)
        limit = self._sources.memory_limits.get(view.name)
        if limit is not None:
            page.add(families.MEMORY_LIMIT, texts.name, limit)
        if view.last_end is not None:
            page.add(families.LAST_EXIT_CODE, texts.name, view.last_end.exit_code)
        # What is said of a run is not said any more when it is over.
        if view.pid is not None:
            self._add_run(page, view, texts)

    def _add_counted(self, page: Page, view: ProcessView, texts: _Texts) -> None:
        tally, restarts = self._sources.tallies.of(view.name), view.restarts_by
        for cause, labels in texts.causes:
            page.add(families.RESTARTS, labels, restarts.get(cause, 0))
        starved = restarts.get(RestartCause.OOM, 0)
        page.add(families.CMD_READINESS, texts.success, tally.successes)
        page.add(families.CMD_READINESS, texts.failed, tally.failures)
        page.add(families.CMD_READINESS, texts.restart, view.restarts - starved)
        page.add(families.CMD_READINESS, texts.oom, starved)
        page.add(families.CMD_CPU, texts.name, tally.cpu)
        if tally.lock is not None:
            _add_lock(page, texts, tally.lock)
        if tally.last_run is not None and view.last_end is not None:
            labels = f"{texts.name},{label('exit_code', str(view.last_end.exit_code))}"
            page.add(families.CMD_DURATION, labels, tally.last_run)
        for probe, took in tally.probes.items():
            page.add_histogram(families.PROBE_DURATION, f"{texts.name},{label('probe', probe)}", took)

    def _add_run(self, page: Page, view: ProcessView, texts: _Texts) -> None:
        if view.started_wall is not None:
            page.add(families.START_TIME, texts.name, view.started_wall)
        period = self._sources.beat_period(view.name)
        if period is not None:
            page.add(families.CMD_HEARTBEAT, texts.name, period)
        results: dict[str, bool] = {}
        for round_ended in view.rounds.values():
            for result in round_ended.results:
                results[result.probe] = results.get(result.probe, True) and result.succeeded
        for probe, succeeded in results.items():
            page.add(families.PROBE_RESULT, f"{texts.name},{label('probe', probe)}", int(succeeded))
        if view.usage is not None:
            _add_usage(page, texts.name, view.usage)

    def _add_host(self, page: Page, snapshot: Snapshot) -> None:
        sources, own = self._sources, self._sources.own
        # A process of this name has the series for itself: no series may come twice.
        if HOST not in snapshot.processes:
            name, usage = label(NAME, HOST), own.usage()
            page.add(families.CMD_CPU, name, usage.cpu)
            page.add(families.START_TIME, name, own.started_wall)
            _add_usage(page, name, usage)
        for sink, records in sources.dropped().items():
            page.add(families.LOG_DROPPED, label("sink", sink), records)
        for (sink, result), events in sources.events().items():
            page.add(families.EVENTS_SENT, f"{label('sink', sink)},{label('result', result)}", events)
        page.add_histogram(families.REACTOR_DELAY, "", sources.delay)
        if (merging := sources.merging()) is not None:
            page.add_histogram(families.MERGE_DURATION, "", merging)
        for target, up in sources.targets().items():
            view = snapshot.processes.get(target)
            if view is not None and view.pid is not None:
                page.add(families.TARGET_UP, label(NAME, target), int(up))
        if snapshot.preemption_watched:
            page.add(families.PREEMPTED, "", int(snapshot.preempted))
        build = ",".join(label(key, value) for key, value in own.build.items())
        page.add(families.BUILD_INFO, build, 1)

    def _texts_of(self, name: str) -> _Texts:
        command = self._sources.commands.get(name, "")
        known = self._texts.get(name)
        if known is None or known[0] != command:
            known = self._texts[name] = (command, _texts(name, command))
        return known[1]


def _texts(name: str, command: str) -> _Texts:
    named, cmd = label(NAME, name), label("cmd", command)
    return _Texts(
        named,
        tuple((state, f"{named},{label('state', state.value)}") for state in State),
        tuple((cause, f"{named},{label('reason', cause.value)}") for cause in RestartCause),
        tuple((outcome, f"{label('status', outcome.value)},{named},{cmd}") for outcome in Outcome),
        *(f"{label('status', status)},{named},{cmd}" for status in ("success", "failed", "restart", "oom")),
    )


def _add_lock(page: Page, texts: _Texts, lock: LockTally) -> None:
    for outcome, labels in texts.asked:
        page.add(families.CMD_LOCK, labels, lock.asked[outcome])
    page.add(families.LOCK_HELD, texts.name, int(lock.held))


def _add_usage(page: Page, name: str, usage: Usage) -> None:
    page.add(families.CMD_CPU_NOW, name, usage.cpu)
    page.add(families.CMD_MEMORY, name, usage.memory)
    page.add(families.THREADS, name, usage.threads)
    if usage.open_files is not None:
        page.add(families.OPEN_FDS, name, usage.open_files)
