"""Part of the composition root: where the lines of each process go, and our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from attrs import define
from twisted.internet.defer import Deferred, DeferredList

from procwrap.children.output import PipeReader, Stream
from procwrap.core.events import Level
from procwrap.logs.formats import formatter
from procwrap.logs.pipeline import Pipeline
from procwrap.logs.recent import Recent
from procwrap.logs.source import Source
from procwrap.sinks.file import RotatingFile
from procwrap.sinks.own import OwnLog
from procwrap.sinks.pressure import Pressure
from procwrap.sinks.stdout import Outlet
from procwrap.spec.plan import Plan, Settings
from procwrap.spec.process import ProcessSpec

_NAMES = {1: "stdout", 2: "stderr"}

CallInReactor = Callable[..., object]


@define(eq=False)
class Outputs:
    """Everything between a child's pipe and the outside.

    Attributes:
        own: procwrap's own log.
        recent: the last lines of each process.
    """

    own: OwnLog
    recent: Mapping[str, Recent]
    _stdout: Outlet
    _files: Mapping[str, RotatingFile]
    _pressure: Pressure
    _settings: Settings
    _wall: Callable[[], float]

    def open_streams(self, spec: ProcessSpec, pid: int) -> Mapping[int, Stream]:
        """Return where the two outputs of a run of a process go."""
        log_format = spec.log.format or self._settings.log_format
        outlets: list[Callable[[bytes, int], None]] = [self._stdout.write, self.recent[spec.name].add]
        if spec.name in self._files:
            outlets.append(self._files[spec.name].write)
        return {
            number: Pipeline(
                formatter(log_format.value, Source(spec.name, out, pid, spec.labels)),
                outlets,
                spec.log.max_line_bytes,
                self._wall,
            )
            for number, out in _NAMES.items()
        }

    def hold(self, reader: PipeReader) -> Callable[[], None]:
        """Let stdout's pressure pause a reader, until the returned callable is called."""
        self._pressure.register(reader)
        return lambda: self._pressure.unregister(reader)

    def flush(self) -> Deferred[None]:
        """Write out everything that is queued; fires when that is done."""
        flushed = [self._stdout.flush(), *(file.flush() for file in set(self._files.values()))]
        return DeferredList(flushed, consumeErrors=True).addCallback(lambda _: None)

    def loss(self) -> str | None:
        """Return what could not be written to stdout, in one line; None if nothing, or if it still waits."""
        lost = self._stdout.dropped_records
        if not lost or self._stdout.queued_bytes:
            return None
        why = self._stdout.failure or "too much waited"
        return f"{lost} records ({self._stdout.dropped_bytes} bytes) could not be written to stdout: {why}"


def make_outputs(
    plan: Plan, settings: Settings, call_in_reactor: CallInReactor, wall: Callable[[], float]
) -> Outputs:
    """Build the outputs of a plan.

    The records of a host go to stdout. A wrapped command has stdout for itself, so procwrap's few words
    go to stderr then.
    """
    wrapped = any(spec.wrapped for spec in plan.processes)
    pressure = Pressure()
    stdout = Outlet(2 if wrapped else 1, call_in_reactor, pressure)
    own = OwnLog(
        lambda record: stdout.write(record, 1), wall, settings.log_format.value, _least(settings, wrapped)
    )
    return Outputs(
        own,
        {spec.name: Recent() for spec in plan.processes},
        stdout,
        _files(plan, own, call_in_reactor),
        pressure,
        settings,
        wall,
    )


def _least(settings: Settings, wrapped: bool) -> Level:
    if settings.debug:
        return Level.DEBUG
    return Level.ERROR if wrapped else Level.INFO


def _files(plan: Plan, own: OwnLog, call_in_reactor: CallInReactor) -> Mapping[str, RotatingFile]:
    """Return the file of each process that has one; replicas, which share a path, share the writer too."""
    by_path: dict[str, RotatingFile] = {}
    found: dict[str, RotatingFile] = {}
    for spec in plan.processes:
        asked = spec.log.file
        if asked is None:
            continue
        if asked.path not in by_path:
            by_path[asked.path] = RotatingFile(
                asked.path, asked.max_bytes, asked.backups, call_in_reactor, partial(own.say, Level.WARNING)
            )
        found[spec.name] = by_path[asked.path]
    return found
