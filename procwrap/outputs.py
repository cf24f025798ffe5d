"""Part of the composition root: where the lines of each process go, and our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList

from procwrap.children.output import PipeReader
from procwrap.core.events import Level
from procwrap.core.snapshot import Snapshot
from procwrap.logs.record import NAME
from procwrap.sinks.file import RotatingFile
from procwrap.sinks.own import OwnLog
from procwrap.sinks.pressure import LAST_HIGH, LAST_LOW, Pressure
from procwrap.sinks.stdout import Outlet
from procwrap.spec.logs import LogFile
from procwrap.spec.plan import Plan, Settings
from procwrap.streams import Deliver, FurtherSink, Streams

MOST_ENDED = 256
"""Pipes of ended processes that may wait to be read, besides two for each process."""

CallInReactor = Callable[..., object]


@define(eq=False)
class Outputs:
    """Everything between a child's pipe and the outside.

    Attributes:
        own: procwrap's own log.
        streams: where the lines of each process go.
    """

    own: OwnLog
    streams: Streams
    _own_outlets: list[Deliver]
    _stdout: Outlet
    _pressure: Pressure
    _last_pressure: Pressure
    _settings: Settings
    _ended: dict[int, PipeReader] = field(factory=dict)
    """What processes left behind when they ended, the oldest first."""
    _further: list[Callable[[], Deferred[None]]] = field(factory=list)

    def hold(self, reader: PipeReader) -> Callable[[], None]:
        """Let stdout's pressure pause a reader, until the returned callable is called."""
        if reader.last:
            return self._hold_last(reader)
        self._pressure.register(reader)
        return lambda: self._pressure.unregister(reader)

    def _hold_last(self, reader: PipeReader) -> Callable[[], None]:
        self._ended[id(reader)] = reader
        self._last_pressure.register(reader)
        if len(self._ended) > MOST_ENDED + 2 * len(self.streams.recent):
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
        flushed = [self._stdout.flush(), *self.streams.flush_files()]
        return DeferredList(flushed, consumeErrors=True).addCallback(lambda _: None)

    def flush_too(self, flush: Callable[[], Deferred[None]]) -> None:
        """Flush something else along with the outputs, which has to know by itself how long that may take."""
        self._further.append(flush)

    def add_sink(self, sink: FurtherSink) -> None:
        """Send all records of processes that are not started yet, and all our own from now on, there, too."""
        self.streams.further.append(sink)
        self._own_outlets.append(sink.stream((("name", NAME),), self._settings.labels))
        self.flush_too(sink.flush)

    def waiting(self) -> int:
        """Return how many bytes wait for the reader of stdout."""
        return self._stdout.queued_bytes

    def dropped(self) -> Mapping[str, int]:
        """Return how many records were given up on the way to each kind of outlet."""
        dropped = {"stdout": self._stdout.dropped_records}
        if (in_files := self.streams.dropped_in_files) is not None:
            dropped["file"] = in_files
        dropped |= {sink.kind: sink.dropped for sink in self.streams.further}
        return dropped

    def say_states(self, snapshot: Snapshot) -> None:
        """Write the state of every process to our own log."""
        for name, view in snapshot.processes.items():
            state = view.state.value
            fields = {"process": name, "state": state, "child": view.pid, "restarts": view.restarts}
            self.own.say(Level.INFO, view.reason or state, fields)

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
    report = partial(own.say, Level.WARNING)

    def make_file(file: LogFile) -> RotatingFile:
        return RotatingFile(file.path, file.max_bytes, file.backups, call_in_reactor, report)

    streams = Streams(stdout, make_file, settings.log_format.value, wall)
    for spec in plan.processes:
        streams.admit(spec)
    return Outputs(
        own,
        streams,
        own_outlets,
        stdout,
        pressure,
        last_pressure,
        settings,
    )


def _least(settings: Settings, wrapped: bool) -> Level:
    if settings.debug:
        return Level.DEBUG
    # Where it waits for other containers, a person wants to know for which.
    return Level.ERROR if wrapped and settings.pod is None else Level.INFO
