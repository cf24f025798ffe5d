"""Part of the composition root: where the lines of each process go, from its streams to its outlets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Protocol

from attrs import define, field, frozen
from twisted.internet.defer import Deferred

from procwrap.children.output import Stream
from procwrap.logs.counts import Counts
from procwrap.logs.formats import Formatter, formatter
from procwrap.logs.pipeline import Pipeline
from procwrap.logs.recent import Recent
from procwrap.logs.source import Source
from procwrap.sinks.file import RotatingFile
from procwrap.sinks.stdout import Outlet
from procwrap.spec.logs import LogFile
from procwrap.spec.probe import Pairs
from procwrap.spec.process import ProcessSpec

_NAMES = {1: "stdout", 2: "stderr"}

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


@frozen
class _Road:
    """A stream of a run that may still be open."""

    pipeline: Pipeline
    out: str
    pid: int
    hook: str


@define(eq=False)
class Streams:
    """Opens the streams of every run, and keeps what belongs to a process for as long as there is one.

    Args:
        make_file: opens the log file of a process.
        log_format: of those that say nothing about it.
        wall: seconds since the epoch.

    Attributes:
        stdout: where all records go.
        recent: the last lines of each process.
        further: where they go besides.
    """

    stdout: Outlet
    _make_file: Callable[[LogFile], RotatingFile]
    _log_format: str
    _wall: Callable[[], float]
    recent: dict[str, Recent] = field(factory=dict)
    further: list[FurtherSink] = field(factory=list)
    _files: dict[str, RotatingFile] = field(factory=dict)
    _closing: list[RotatingFile] = field(factory=list)
    _dropped_before: int = 0
    _counts: dict[tuple[str, str], Counts] = field(factory=dict)
    _roads: dict[str, list[_Road]] = field(factory=dict)

    def admit(self, spec: ProcessSpec) -> None:
        """Get ready for a process; what is there of it already stays."""
        self.recent.setdefault(spec.name, Recent())
        self._have_file(spec)

    def forget(self, name: str) -> Callable[[], None]:
        """Keep nothing of a process any more; what its open streams still bring is delivered.

        Returns:
            To be called when nothing more comes.
        """
        self.recent.pop(name, None)
        self._roads.pop(name, None)
        for out in _NAMES.values():
            self._counts.pop((name, out), None)
        file = self._files.pop(name, None)
        if file is not None:
            self._closing.append(file)
        return partial(self._close, file)

    def open(self, spec: ProcessSpec, pid: int, hook: str = "", /) -> Mapping[int, Stream]:
        """Return where the two outputs of a run of a process, or of one of its hooks, go."""
        roads = {number: self._road(spec, out, pid, hook) for number, out in _NAMES.items()}
        still_open = [road for road in self._roads.get(spec.name, ()) if not road.pipeline.finished]
        self._roads[spec.name] = [*still_open, *roads.values()]
        return {number: road.pipeline for number, road in roads.items()}

    def adjust(self, spec: ProcessSpec) -> None:
        """Let the streams that are open go on as the spec says now, from their next chunk on."""
        self._have_file(spec)
        for road in self._roads.get(spec.name, ()):
            written = self._formatter(spec, road.out, road.pid, road.hook)
            road.pipeline.adjust(written, self._outlets(spec, road.out), spec.log.max_line_bytes)

    def counts(self) -> Iterator[tuple[str, str, int, int]]:
        """Yield for each process and output how many lines and bytes have come out of it."""
        for (name, out), counts in self._counts.items():
            yield name, out, counts.lines, counts.size

    def flush_files(self) -> Iterable[Deferred[None]]:
        """Write out what is queued for log files."""
        return [file.flush() for file in (*self._files.values(), *self._closing)]

    @property
    def dropped_in_files(self) -> int | None:
        """Records that were given up on the way to log files; None where there never was one."""
        files = (*self._files.values(), *self._closing)
        if not files and not self._dropped_before:
            return None
        return self._dropped_before + sum(file.dropped_records for file in files)

    def _road(self, spec: ProcessSpec, out: str, pid: int, hook: str) -> _Road:
        pipeline = Pipeline(
            self._formatter(spec, out, pid, hook),
            self._outlets(spec, out),
            spec.log.max_line_bytes,
            self._wall,
            self._counts.setdefault((spec.name, out), Counts()),
        )
        return _Road(pipeline, out, pid, hook)

    def _formatter(self, spec: ProcessSpec, out: str, pid: int, hook: str) -> Formatter:
        log_format = spec.log.format.value if spec.log.format is not None else self._log_format
        return formatter(log_format, Source(spec.name, out, pid, spec.labels, hook))

    def _outlets(self, spec: ProcessSpec, out: str) -> list[Deliver]:
        if spec.log.discard:
            return []
        outlets: list[Deliver] = [self.stdout.write, self.recent[spec.name].add]
        if spec.name in self._files:
            outlets.append(self._files[spec.name].write)
        ours = (("name", spec.name), ("out", out))
        return [*outlets, *(sink.stream(ours, spec.labels) for sink in self.further)]

    def _have_file(self, spec: ProcessSpec) -> None:
        asked, present = spec.log.file, self._files.get(spec.name)
        if asked is not None and present is not None and present.path == asked.path:
            present.resize(asked.max_bytes, asked.backups)
            return
        self._close(self._files.pop(spec.name, None))
        if asked is not None:
            self._files[spec.name] = self._make_file(asked)

    def _close(self, file: RotatingFile | None) -> None:
        """Close a file when everything is written."""
        if file is None:
            return
        if file not in self._closing:
            self._closing.append(file)

        def close(_: object) -> None:
            file.close(0.0)
            self._closing.remove(file)
            self._dropped_before += file.dropped_records

        file.flush().addCallback(close)
