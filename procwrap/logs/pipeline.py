"""The road of a child's output: chunks in, formatted records out to every outlet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field

from procwrap.logs.counts import Counts
from procwrap.logs.formats import Formatter
from procwrap.logs.lines import Block, LineSplitter
from procwrap.logs.stamp import Stamper

Deliver = Callable[[bytes, int], None]
"""Takes formatted records and how many they are; never blocks, never raises."""


@define(eq=False)
class Pipeline:
    """One stream of one run of a child."""

    _formatter: Formatter
    _outlets: Sequence[Deliver]
    _splitter: LineSplitter = field(converter=LineSplitter, alias="max_line_bytes")
    _now: Callable[[], float]
    """Seconds since 1970."""
    counts: Counts = field(factory=Counts)
    """Shared by all runs of a process."""
    finished: bool = False
    """Nothing more will come."""
    _stamp: Stamper = field(factory=Stamper, init=False)

    def receive(self, chunk: bytes) -> None:
        """Take what was read from the child; complete lines come out before this returns."""
        self.counts.size += len(chunk)
        self._send(self._splitter.split(chunk))

    def adjust(self, formatter: Formatter, outlets: Sequence[Deliver], max_line_bytes: int) -> None:
        """Go on in another form, to other outlets; an unfinished line comes out in that form, too."""
        self._formatter, self._outlets = formatter, outlets
        self._splitter.limit(max_line_bytes)

    def finish(self) -> None:
        """End the stream: a last line without a newline comes out."""
        self.finished = True
        self._send(self._splitter.finish())

    def _send(self, blocks: list[Block]) -> None:
        if not blocks:
            return
        stamp = self._stamp(self._now())
        for block, partial in blocks:
            # Five times as fast as block.count(b"\n").
            records = len(block) - len(block.replace(b"\n", b""))
            if not partial:
                self.counts.lines += records
            data = self._formatter(block, stamp, partial)
            for outlet in self._outlets:
                outlet(data, records)
