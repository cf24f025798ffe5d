"""Part of the composition root: where the lines of each process go, and our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Protocol

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList

from procwrap.children.output import PipeReader, Stream
from procwrap.core.events import Level
from procwrap.logs.counts import Counts
from procwrap.logs.formats import formatter
from procwrap.logs.pipeline import Pipeline
from procwrap.logs.recent import Recent
from procwrap.logs.record import NAME
from procwrap.logs.source import Source
from procwrap.sinks.file import RotatingFile
from procwrap.sinks.own import OwnLog
from procwrap.sinks.pressure import LAST_HIGH, LAST_LOW, Pressure
from procwrap.sinks.stdout import Outlet
from procwrap.spec.plan import Plan, Settings
from procwrap.spec.probe import Pairs
from procwrap.spec.process import ProcessSpec

_NAMES = {1: "stdout", 2: "stderr"}

MOST_ENDED = 256
"""Pipes of ended processes that may wait to be read, besides two for each process."""

CallInReactor = Callable[..., object]
Deliver = Callable[[bytes, int], None]


class FurtherSink(Protocol):
    """Another place for all records, which knows by itself how long flushing may take."""

    @property
    def kind(self) -> str:
        """What it is called in metrics."""

    @property
    def dropped(self) -> int:
        """Records that were given up."""

    def stream(self, ours: Pairs, labels: Pairs) -> Deliver:
        """Return what takes the records of an output, given what it is and the labels of the config."""

    def flush(self) -> Deferred[None]:
        """Write out everything that is queued; fires when that is done or given up."""


@define(eq=False)
class Outputs:
    """Everything between a child's pipe and the outside.

    Attributes:
        own: procwrap's own log.
        recent: the last lines of each process.
    """

    own: OwnLog
    recent: Mapping[str, Recent]
    _own_outlets: list[Deliver]
    _stdout: Outlet
    _files: Mapping[str, RotatingFile]
    _pressure: Pressure
    _last_pressure: Pressure
    _settings: Settings
    _wall: Callable[[], float]
    _ended: dict[int, PipeReader] = field(factory=dict)
    """What processes left behind when they ended, the oldest first."""
    _counts: dict[tuple[str, str], Counts] = field(factory=dict)
    _further: list[Callable[[], Deferred[None]]] = field(factory=list)
    _further_sinks: list[FurtherSink] = field(factory=list)

    def open_streams(self, spec: ProcessSpec, pid: int, hook: str = "", /) -> Mapping[int, Stream]:
        """Return where the two outputs of a run of a process, or of one of its hooks, go."""
        log_format = spec.log.format or self._settings.log_format
        outlets = [] if spec.log.discard else self._outlets(spec)
        return {
            number: Pipeline(
                formatter(log_format.value, Source(spec.name, out, pid, spec.labels, hook)),
                [*outlets, *self._further_outlets(spec, out)],
                spec.log.max_line_bytes,
                self._wall,
                self._counts.setdefault((spec.name, out), Counts()),
            )
            for number, out in _NAMES.items()
        }

    def _outlets(self, spec: ProcessSpec) -> list[Deliver]:
        outlets: list[Deliver] = [self._stdout.write, self.recent[spec.name].add]
        if spec.name in self._files:
            outlets.append(self._files[spec.name].write)
        return outlets

    def _further_outlets(self, spec: ProcessSpec, out: str) -> list[Deliver]:
        if spec.log.discard:
            return []
        ours = (("name", spec.name), ("out", out))
        return [sink.stream(ours, spec.labels) for sink in self._further_sinks]

    def hold(self, reader: PipeReader) -> Callable[[], None]:
        """Let stdout's pressure pause a reader, until the returned callable is called."""
        if reader.last:
            return self._hold_last(reader)
        self._pressure.register(reader)
        return lambda: self._pressure.unregister(reader)

    def _hold_last(self, reader: PipeReader) -> Callable[[], None]:
        self._ended[id(reader)] = reader
        self._last_pressure.register(reader)
        if len(self._ended) > MOST_ENDED + 2 * len(self.recent):
            # Nobody has read our stdout for long, and descriptors are finite.
            next(iter(self._ended.values())).finish_now()

        def release() -> None:
            self._ended.pop(id(reader), None)
            self._last_pressure.unregister(reader)

        return release

    def flush(self) -> Deferred[None]:
        """Write out everything that is queued; fires when that is done."""
        further = DeferredList([flush() for flush in self._further], consumeErrors=True)
        # They may have something to say about it.
        return further.addCallback(lambda _: self._flush_files())

    def _flush_files(self) -> Deferred[None]:
        flushed = [self._stdout.flush(), *(file.flush() for file in self._files.values())]
        return DeferredList(flushed, consumeErrors=True).addCallback(lambda _: None)

    def flush_too(self, flush: Callable[[], Deferred[None]]) -> None:
        """Flush something else along with the outputs, which has to know by itself how long that may take."""
        self._further.append(flush)

    def add_sink(self, sink: FurtherSink) -> None:
        """Send all records of processes that are not started yet, and all our own from now on, there, too."""
        self._further_sinks.append(sink)
        self._own_outlets.append(sink.stream((("name", NAME),), self._settings.labels))
        self.flush_too(sink.flush)

    def waiting(self) -> int:
        """Return how many bytes wait for the reader of stdout."""
        return self._stdout.queued_bytes

    def log_counts(self) -> Iterator[tuple[str, str, int, int]]:
        """Yield for each process and output how many lines and bytes have come out of it."""
        for (name, out), counts in self._counts.items():
            yield name, out, counts.lines, counts.size

    def dropped(self) -> Mapping[str, int]:
        """Return how many records were given up on the way to each kind of outlet."""
        dropped = {"stdout": self._stdout.dropped_records}
        if self._files:
            dropped["file"] = sum(file.dropped_records for file in self._files.values())
        dropped |= {sink.kind: sink.dropped for sink in self._further_sinks}
        return dropped

    def loss(self) -> str | None:
        """Give up what still waits, and return what could not be written to stdout, in one line; or None."""
        nobody_read = not self._stdout.close(0.0)
        lost = self._stdout.dropped_records
        if not lost:
            return None
        why = self._stdout.failure or ("nobody read it" if nobody_read else "too much waited")
        return f"{lost} records ({self._stdout.dropped_bytes} bytes) could not be written to stdout: {why}"


def make_outputs(
    plan: Plan, settings: Settings, call_in_reactor: CallInReactor, wall: Callable[[], float]
) -> Outputs:
    """Build the outputs of a plan.

    The records of a host go to stdout. A wrapped command has stdout for itself, so procwrap's few words
    go to stderr then.
    """
    wrapped = any(spec.wrapped for spec in plan.processes)
    pressure, last_pressure = Pressure(), Pressure(LAST_HIGH, LAST_LOW)
    stdout = Outlet(2 if wrapped else 1, call_in_reactor, pressure, last_pressure=last_pressure)
    own_outlets: list[Deliver] = [stdout.write]

    def write_own(record: bytes) -> None:
        for outlet in own_outlets:
            outlet(record, 1)

    own = OwnLog(write_own, wall, settings.log_format.value, _least(settings, wrapped))
    return Outputs(
        own,
        {spec.name: Recent() for spec in plan.processes},
        own_outlets,
        stdout,
        _files(plan, own, call_in_reactor),
        pressure,
        last_pressure,
        settings,
        wall,
    )


def _least(settings: Settings, wrapped: bool) -> Level:
    if settings.debug:
        return Level.DEBUG
    # Where it waits for other containers, a person wants to know for which.
    return Level.ERROR if wrapped and settings.pod is None else Level.INFO


def _files(plan: Plan, own: OwnLog, call_in_reactor: CallInReactor) -> Mapping[str, RotatingFile]:
    """Return the file of each process that has one; no two have the same."""
    report = partial(own.say, Level.WARNING)
    return {
        spec.name: RotatingFile(file.path, file.max_bytes, file.backups, call_in_reactor, report)
        for spec in plan.processes
        if (file := spec.log.file) is not None
    }
