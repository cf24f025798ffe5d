from __future__ import annotations

from procwrap.logs.formats import formatter
from procwrap.logs.pipeline import Pipeline
from procwrap.logs.source import Source


class Written:
    """An outlet that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[bytes, int]] = []

    def __call__(self, data: bytes, records: int) -> None:
        self.calls.append((data, records))


def pipeline(*outlets: Written, log_format: str = "free", most: int = 100) -> Pipeline:
    source = Source("web", "stdout", 31, ())
    return Pipeline(formatter(log_format, source), outlets, most, lambda: 1795291384.567)


def test_every_outlet_gets_every_block_with_its_number_of_records() -> None:
    """stdout, the file and the memory are told the same."""
    first, second = Written(), Written()
    road = pipeline(first, second)
    road.receive(b"a\nb\nc")
    road.receive(b"\n")
    assert first.calls == second.calls == [(b"a\nb\n", 2), (b"c\n", 1)]


def test_the_last_line_comes_out_at_the_end() -> None:
    """A line without newline is written when the stream ends, and only then."""
    written = Written()
    road = pipeline(written)
    road.receive(b"last words")
    assert written.calls == []
    road.finish()
    road.finish()
    assert written.calls == [(b"last words\n", 1)]


def test_lines_and_bytes_are_counted() -> None:
    """Metrics count the child's own lines and bytes, not our records."""
    road = pipeline(Written(), most=8)
    road.receive(b"ab\r\n123456789abcdefghi\nx")
    assert (road.counts.lines, road.counts.size) == (2, 24)
    road.finish()
    assert (road.counts.lines, road.counts.size) == (3, 24)


def test_a_long_line_becomes_several_records() -> None:
    """All but the last are marked as partial, and together they are the line."""
    written = Written()
    road = pipeline(written, log_format="logfmt", most=8)
    road.receive(b"level=info msg=x\n")
    head = b'time="2026-11-21T20:03:04.567Z" level=info msg='
    tail = b" name=web out=stdout pid=31"
    assert written.calls == [
        (head + b'"level=in"' + tail + b" partial=true\n", 1),
        (head + b'"fo msg=x"' + tail + b"\n", 1),
    ]


def test_a_record_has_the_time_of_its_end() -> None:
    """The stamp is taken when a line is complete."""
    written = Written()
    times = iter([1795291384.567])
    source = Source("web", "stdout", 31, ())
    road = Pipeline(formatter("json", source), [written], 100, lambda: next(times))
    road.receive(b"slow")
    road.receive(b"ly\n")
    assert written.calls[0][0].startswith(b'{"time":"2026-11-21T20:03:04.567Z"')
