from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.logs.formats import formatter
from procwrap.logs.pipeline import Pipeline
from procwrap.logs.severity import level_in
from procwrap.logs.source import Source
from tests.support import gologfmt, plainlogs
from tests.support.childlines import blocks, chunked, lines

STAMP = "2026-11-21T20:03:04.567Z"
SOURCE = Source("web", "stderr", 31, (("team", "core"), ("zone", "eu 1")))
OURS = [("name", "web"), ("out", "stderr"), ("pid", "31"), ("team", "core"), ("zone", "eu 1")]

in_any_structured_format = pytest.mark.parametrize("log_format", ["logfmt", "auto", "json"])


def records(log_format: str, block: bytes, *, partial: bool = False) -> list[bytes]:
    """Format a block and return its records without their newlines."""
    data = formatter(log_format, SOURCE)(block, STAMP, partial)
    assert data.endswith(b"\n")
    return data[:-1].split(b"\n")


def without_newlines(block: bytes) -> list[bytes]:
    return block[:-1].split(b"\n")


def test_logfmt_record() -> None:
    """A record has its keys in the documented order."""
    expected = (
        b'time="2026-11-21T20:03:04.567Z" level=info msg="listening on :80" '
        b"name=web out=stdout pid=31 team=core"
    )
    source = Source("web", "stdout", 31, (("team", "core"),))
    assert formatter("logfmt", source)(b"listening on :80\n", STAMP, False) == expected + b"\n"


def test_json_record() -> None:
    """The JSON record has the same fields; the pid is a number."""
    expected = (
        b'{"time":"2026-11-21T20:03:04.567Z","level":"info","msg":"listening on :80",'
        b'"name":"web","out":"stdout","pid":31,"team":"core"}'
    )
    source = Source("web", "stdout", 31, (("team", "core"),))
    assert formatter("json", source)(b"listening on :80\n", STAMP, False) == expected + b"\n"


def test_hook_record() -> None:
    """What a hook wrote says so; a label of the same name gives way."""
    source = Source("web", "stderr", 99, (("hook", "mine"), ("team", "core")), "postStart")
    tail = b"name=web out=stderr pid=99 hook=postStart label_hook=mine team=core\n"
    assert formatter("logfmt", source)(b"warm\n", STAMP, False).endswith(tail)
    record = json.loads(formatter("json", source)(b"warm\n", STAMP, False))
    assert record["hook"] == "postStart"


@pytest.mark.parametrize("log_format", ["free", "plain"])
def test_free_is_what_the_child_wrote(log_format: str) -> None:
    """Nothing is added and nothing replaced."""
    assert formatter(log_format, SOURCE)(b'a "b"\n\xff\n\n', STAMP, False) == b'a "b"\n\xff\n\n'


def test_an_unknown_format_is_refused() -> None:
    """The error names the format and the ones there are."""
    with pytest.raises(
        ValueError, match="unknown log format 'xml': expected logfmt, auto, json, free or plain"
    ):
        formatter("xml", SOURCE)


def test_bare_quoted_and_empty_messages() -> None:
    """A message is bare when all its characters allow it, quoted otherwise, and visibly empty."""
    block = b"done\nnot done\n\na:b\nAZaz09-._/@^+\n"
    expected = [b"done", b'"not done"', b'""', b'"a:b"', b"AZaz09-._/@^+"]
    assert [record.split(b" msg=")[1].split(b" name=")[0] for record in records("logfmt", block)] == expected


def test_escapes() -> None:
    """Quotes, backslashes and control characters are escaped, so a terminal sees no escape sequence."""
    block = b'"a" \\ \t \r. \x00 \x1b[31m \x7f ' + "\x9b \u2028".encode() + b"\n"
    expected = r"\"a\" \\ \t \r. \u0000 \u001b[31m \u007f \u009b " + "\u2028"
    assert f'msg="{expected}" name'.encode() in records("logfmt", block)[0]
    assert f'"msg":"{expected}","name"'.encode() in records("json", block)[0]


def test_no_field_can_be_forged() -> None:
    """Whatever a child writes to break out of its message stays inside."""
    evil = b'x" level=fatal msg="y name=other\\'
    assert gologfmt.decode(records("logfmt", evil + b"\n")[0]) == [
        ("time", STAMP),
        ("level", "info"),
        ("msg", evil.decode()),
        *OURS,
    ]


def test_the_child_s_logfmt_is_understood() -> None:
    """Its level and message become the record's and its other fields stand behind ours."""
    line = b'ts=2026-11-21 level=WARN msg="disk is \\"full\\"" path="/a b" pid=9 name=me'
    assert gologfmt.decode(records("logfmt", line + b"\n")[0]) == [
        ("time", STAMP),
        ("level", "warning"),
        ("msg", 'disk is "full"'),
        *OURS,
        ("ts", "2026-11-21"),
        ("path", "/a b"),
        ("child_pid", "9"),
        ("child_name", "me"),
    ]


def test_the_child_s_json_is_understood() -> None:
    """Numbers keep their spelling, and nested values are compact JSON."""
    line = b'{"time": 1.50, "severity": "err", "message": "no \\u20ac", "n": {"a": [1, null]}, "zone": "x"}'
    decoded = gologfmt.decode(records("logfmt", line + b"\n")[0])
    assert decoded[1:3] == [("level", "error"), ("msg", "no €")]
    assert decoded[8:] == [("child_time", "1.50"), ("n", '{"a":[1,null]}'), ("child_zone", "x")]


def test_in_json_the_child_s_values_keep_their_type() -> None:
    """A JSON logger behind a JSON format loses neither numbers nor structure."""
    line = b'{"level":30,"msg":"hi","took":1.50,"ok":true,"nested":{"a":[1]},"text":"1"}'
    record = records("json", line + b"\n")[0]
    assert record.endswith(b',"took":1.50,"ok":true,"nested":{"a":[1]},"text":"1"}')


def test_auto_finds_levels() -> None:
    """Each line has the level that its text names, and lines without one are info."""
    block = b"all fine\n20:03 ERROR boom\nWARN: hm\n<7>verbose\nE1121 20:03:04 x.go:7] klog\nok\n"
    levels = [gologfmt.decode(record)[1][1] for record in records("auto", block)]
    assert levels == ["info", "error", "warning", "debug", "error", "info"]


def test_logfmt_does_not_guess_levels() -> None:
    """In the default format a sentence is info, whatever words are in it."""
    assert gologfmt.decode(records("logfmt", b"ERROR boom\n")[0])[1] == ("level", "info")


@in_any_structured_format
def test_pieces_are_marked(log_format: str) -> None:
    """A record of a line that goes on says so behind the labels."""
    record = records(log_format, b"beginning\n", partial=True)[0]
    assert record.endswith(b',"partial":true}' if log_format == "json" else b' zone="eu 1" partial=true')


@in_any_structured_format
def test_the_end_of_a_cut_line_is_not_mistaken_for_a_line(log_format: str) -> None:
    """The last piece of a line is text even if it looks like logfmt or JSON by itself."""
    write = formatter(log_format, SOURCE)
    write(b"x" * 10 + b"\n", STAMP, True)
    last = write(b"level=error msg=x\nlevel=error msg=x\n", STAMP, False).split(b"\n")
    assert b"level=error msg=x" in last[0]
    assert b'error"' in last[1] or b"level=error msg=x name" in last[1]


@pytest.mark.parametrize("log_format", ["logfmt", "auto"])
@given(blocks)
def test_every_record_parses_back_to_the_exact_text(log_format: str, block: bytes) -> None:
    """go-logfmt reads from each record of plain lines exactly what the child wrote."""
    lines = without_newlines(block)
    for line, record in zip(lines, records(log_format, block), strict=True):
        decoded = gologfmt.decode(record)
        keys = [key for key, _ in decoded]
        assert keys[:8] == ["time", "level", "msg", "name", "out", "pid", "team", "zone"]
        assert len(set(keys)) == len(keys)
        if plainlogs.is_plain(line):
            assert dict(decoded)["msg"] == line.decode(errors="replace")
            assert decoded[3:] == OURS


@given(blocks)
def test_every_json_record_parses_back_to_the_exact_text(block: bytes) -> None:
    """A JSON parser reads from each record of plain lines exactly what the child wrote."""
    for line, record in zip(without_newlines(block), records("json", block), strict=True):
        pairs = plainlogs.json_pairs(record)
        assert len({key for key, _ in pairs}) == len(pairs)
        if plainlogs.is_plain(line):
            assert pairs == plainlogs.json_fields(line, STAMP, SOURCE)


@given(blocks, st.booleans())
def test_whole_blocks_are_as_line_by_line(block: bytes, partial: bool) -> None:
    """The fast way writes, byte for byte, what the obvious slow way writes."""
    for line, record in zip(without_newlines(block), records("logfmt", block, partial=partial), strict=True):
        if partial or plainlogs.is_plain(line):
            assert record + b"\n" == plainlogs.logfmt_record(line, STAMP, SOURCE, partial=partial)
        else:
            assert record == records("logfmt", line + b"\n")[0]


@given(blocks)
def test_levels_in_whole_blocks_are_as_line_by_line(block: bytes) -> None:
    """The format ``auto`` finds the same level whatever stands before and behind a line."""
    for line, record in zip(without_newlines(block), records("auto", block), strict=True):
        if plainlogs.is_plain(line):
            assert record + b"\n" == plainlogs.logfmt_record(line, STAMP, SOURCE, level_in(line))


@in_any_structured_format
@given(chunked())
def test_chunks_leave_no_trace(log_format: str, chunks: tuple[bytes, list[bytes]]) -> None:
    """However a stream is cut into chunks, its records are the same."""
    stream, parts = chunks
    assert run(log_format, parts) == run(log_format, [stream])


@given(lines)
def test_a_child_s_fields_are_all_kept(line: bytes) -> None:
    """A JSON object of strings with a level and a message loses none of its fields."""
    text = line.decode(errors="replace")
    fields = {"level": "info", "msg": text, "": text, "pid": text, "a b": text, "child_pid": text}
    record = records("logfmt", json.dumps(fields).encode() + b"\n")[0]
    assert gologfmt.decode(record)[2] == ("msg", text)
    expected = [("_", text), ("child_pid", text), ("a_b", text), ("child_pid_2", text)]
    assert gologfmt.decode(record)[8:] == expected


def run(log_format: str, parts: list[bytes]) -> bytes:
    """Send chunks through a whole pipeline with short lines."""
    written: list[bytes] = []
    deliver: Callable[[bytes, int], None] = lambda data, _: written.append(data)  # noqa: E731
    pipeline = Pipeline(formatter(log_format, SOURCE), [deliver], 16, lambda: 0.0)
    for part in parts:
        pipeline.receive(part)
    pipeline.finish()
    return b"".join(written)
