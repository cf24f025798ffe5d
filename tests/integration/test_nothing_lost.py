"""Every byte that a child wrote before its end comes out, in order, whole and true; real processes."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.gologfmt import decode
from tests.support.hosted import Hosted, process, python
from tests.support.pipes import pipe
from tests.support.procfs import eventually, signal_group, status
from tests.support.streams import LINE_BYTES, Numbers, Reader, messages, numbered, taken_from, writer

pytestmark = [pytest.mark.integration, pytest.mark.alone, pytest.mark.usefixtures("nothing_left")]

LONG = os.environ.get("PROCWRAP_LONG") == "1"
"""Run what takes minutes in its full size."""

MANY = 3_000_000
ATOMIC = 43
"""Lines that one write() takes as a whole or not at all."""


@pytest.mark.parametrize("run", range(100 if LONG else 3))
def test_short_lives_lose_nothing(tmp_path: Path, run: int) -> None:
    """40 processes print 10 lines and exit, some on stderr, some without a last newline: 400 of 400."""
    lines = [f"line {number}" for number in range(10)]
    text = "\\n".join(lines)
    scripts = [f"printf '{text}\\n'", f"printf '{text}'", f"printf '{text}\\n' >&2", f"printf '{text}' >&2"]
    plan = [process(f"p{number}", scripts[number % 4]) for number in range(40)]
    with Hosted(tmp_path, plan) as hosted:
        assert hosted.wait() == 0
        records = hosted.records()
    for number in range(40):
        mine = [record for record in records if record["name"] == f"p{number}"]
        assert [record["msg"] for record in mine] == lines
        assert {record["out"] for record in mine} == {"stderr" if number % 4 > 1 else "stdout"}


def test_three_million_lines(tmp_path: Path) -> None:
    """SIGTERM amid 3 million lines: what the child writes until it ends is complete and in order."""
    numbers = Numbers("w")
    with pipe() as (reading, writing):
        child = writer("w", tmp_path, lines=MANY, on_term="goes on", stopTimeout="80s")
        with Hosted(tmp_path, [child], stdout=writing) as hosted:
            os.close(writing)
            reader = Reader(os.dup(reading), take=numbers.take)
            eventually(lambda: numbers.seen > MANY // 3)
            hosted.signal(signal.SIGTERM)
            assert numbers.seen < MANY
            assert hosted.wait(90) == 0
        reader.everything()
    assert numbers.verdict() == (MANY, b"", b"")


def run_until(home: Path, end: Callable[[Hosted, Reader], object], **settings: Any) -> bytes:
    """Let a writer write for a while, end it somehow, and return procwrap's output."""
    with pipe() as (reading, writing):
        with Hosted(home, [writer("w", home, **settings)], stdout=writing) as hosted:
            os.close(writing)
            reader = Reader(os.dup(reading))
            eventually(lambda: reader.size > 10_000_000)
            end(hosted, reader)
            hosted.wait()
        return reader.everything()


def test_what_was_written_before_the_stop(tmp_path: Path) -> None:
    """A child that ends on SIGTERM, in the middle of a line: to the byte what write() took from it."""
    data = run_until(tmp_path, lambda hosted, reader: hosted.signal(signal.SIGTERM))
    assert messages(data, "w") == numbered(taken_from(tmp_path, "w")).removesuffix(b"\n")


@pytest.mark.parametrize("way", ["stopped", "stopped twice", "killed", "interrupted"])
def test_what_was_written_before_a_sudden_end(tmp_path: Path, way: str) -> None:
    """A child ended by a signal while it writes: every line it wrote, however little time there is."""

    def end(hosted: Hosted, reader: Reader) -> None:
        if way == "killed":
            pid = int(re.findall(rb" msg=started name=procwrap process=w child=(\d+)", reader.so_far())[0])
            signal_group(pid, signal.SIGKILL)
            return
        hosted.signal(signal.SIGINT if way == "interrupted" else signal.SIGTERM)
        if way == "stopped twice":
            eventually(lambda: b"shutting down: SIGTERM" in reader.so_far())
            hosted.signal(signal.SIGTERM)

    data = run_until(tmp_path, end, batch=ATOMIC, on_term="dies" if way == "stopped" else "goes on")
    received = messages(data, "w") + b"\n"
    # It may have died after a write and before it could count it.
    assert len(received) - taken_from(tmp_path, "w") in (0, ATOMIC * LINE_BYTES)
    assert received == numbered(len(received))


def test_long_lines(tmp_path: Path) -> None:
    """A line over ``maxLineBytes`` comes in pieces that together are the line, cut between characters."""
    lines = ["a" * 999, "b" * 1000, "c" * 1001, "d" * 2500, "\u20ac" * 1000, "e"]
    code = f"import sys; sys.stdout.buffer.write({chr(10).join(lines).encode()!r})"
    with Hosted(tmp_path, [python("w", code, maxLineBytes=1000)]) as hosted:
        assert hosted.wait() == 0
        records = [record for record in hosted.records() if record["name"] == "w"]
    joined, pieces = [""], []
    for record in records:
        assert len(record["msg"].encode()) <= 1000
        joined[-1] += record["msg"]
        if "partial" not in record:
            joined.append("")
        pieces.append(record.get("partial"))
    assert joined == [*lines, ""]
    assert pieces.count("true") == 0 + 0 + 1 + 2 + 3


def test_a_hundred_megabytes_without_a_newline(tmp_path: Path) -> None:
    """Come out whole, in pieces, and never wait in memory as one."""
    size = 100_000_000
    code = f"import os\nleft = {size}\nwhile left: left -= os.write(1, b'x' * min(left, 1 << 20))"
    with pipe() as (reading, writing):
        with Hosted(tmp_path, [process("idle", "sleep 600"), python("w", code)], stdout=writing) as hosted:
            os.close(writing)
            reader = Reader(os.dup(reading))
            eventually(lambda: b'msg="exit code 0" name=procwrap process=w' in reader.so_far()[-4000:])
            peak = int(status(hosted.process.pid)["VmHWM"].split()[0])
            assert hosted.end() == 0
        data = reader.everything()
    pieces = re.findall(rb"(?m) msg=(x+) name=w out=stdout pid=\d+( partial=true)?$", data)
    assert sum(len(text) for text, _ in pieces) == size
    assert [bool(partial) for _, partial in pieces] == [True] * (len(pieces) - 1) + [False]
    assert peak < 100_000


HOSTILE = [
    b"\x00nul\x00",
    b"\xff\xfe invalid \xe2\x82",
    b"\x1b[31mred\x1b[0m\x07\x1b]0;title\x07",
    "\x9b31m C1 \x85".encode(),
    b'" name=procwrap out=stderr pid=1 msg="forged',
    b'time="2000-01-01T00:00:00.000Z" level=fatal msg=forged name=procwrap',
    b'{"level":"fatal","msg":"forged","name":"procwrap","pid":1}',
    b'a\rb\ttab\\ back \\" quote',
    b"level=error",
    b"=",
    b"",
    b" ",
    b'msg="unfinished',
    b"{",
    "\u2028\u2029\ufeff".encode(),
]


def test_nothing_that_is_printed_escapes_its_record(tmp_path: Path) -> None:
    """NULs, invalid UTF-8, escape sequences, forged fields: one record each, and the facts are ours."""
    code = f"import os; os.write(1, {b'%b' % chr(10).encode().join(HOSTILE)!r} + b'\\n')"
    with Hosted(tmp_path, [python("w", code, labels={"team": "core"})]) as hosted:
        assert hosted.wait() == 0
        pid, data = hosted.pid_of("w"), hosted.out.read_bytes()
        records = [dict(decode(line)) for line in data.splitlines() if b" name=w out=stdout " in line]
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", data)
    data.decode()
    assert len(records) == len(HOSTILE)
    for sent, record in zip(HOSTILE, records, strict=True):
        facts = (record["name"], record["out"], record["pid"], record["team"])
        assert facts == ("w", "stdout", str(pid), "core")
        if b"forged" not in sent or sent.startswith(b'"'):
            assert record["msg"] == sent.decode(errors="replace")
    assert [record["level"] for record in records if record["msg"] == "forged"] == ["fatal", "fatal"]


def test_a_childs_own_level_message_and_fields(tmp_path: Path) -> None:
    """Lines in logfmt and JSON give level and message; the other fields stay, and overwrite none of ours."""
    printed = [
        'time=now level=warn msg="disk \\"full\\"" path=/var pid=9',
        '{"severity": "ERROR", "message": "no route", "attempt": 3, "name": "x", "peer": {"host": "db"}}',
        "level=debug but no fields",
        "plain",
    ]
    code = f"import sys; print({chr(10).join(printed)!r}, file=sys.stderr)"
    with Hosted(tmp_path, [python("w", code)]) as hosted:
        assert hosted.wait() == 0
        records = [record for record in hosted.records() if record["name"] == "w"]
    assert [(record["level"], record["msg"], record["out"]) for record in records] == [
        ("warning", 'disk "full"', "stderr"),
        ("error", "no route", "stderr"),
        ("info", printed[2], "stderr"),
        ("info", "plain", "stderr"),
    ]
    first, second = records[:2]
    assert (first["path"], first["child_pid"], first["child_time"]) == ("/var", "9", "now")
    assert (second["attempt"], second["child_name"], second["peer"]) == ("3", "x", '{"host":"db"}')


def test_free_is_the_bytes_as_they_are(tmp_path: Path) -> None:
    """Random bytes line by line, several streams at once, none mixed with another."""
    plan, sent = [], {}
    for number in range(4):
        noise = Random(number)
        lines = [noise.randbytes(noise.randrange(300)).replace(b"\n", b"").rstrip(b"\r") for _ in range(500)]
        sent[number] = [b"%d %b." % (number, line) for line in lines]
        source = tmp_path / f"source{number}"
        source.write_bytes(b"".join(line + b"\n" for line in sent[number]))
        plan.append(process(f"p{number}", f"cat {source} >&{1 + number % 2}", logFormat="free"))
    with Hosted(tmp_path, plan) as hosted:
        assert hosted.wait() == 0
        received = [line for line in hosted.out.read_bytes().split(b"\n") if b" name=procwrap" not in line]
    for number in range(4):
        assert [line for line in received if line.startswith(b"%d " % number)] == sent[number]
    assert len(received) == 4 * 500 + 1


def test_each_process_has_its_own_format(tmp_path: Path) -> None:
    """``logFormat`` of a process wins over LOG_FORMAT, which is for the others and for procwrap itself."""
    formats = ["logfmt", "auto", "free", "plain", None]
    plan = [
        process(f"p{number}", "echo ERROR: x", **({"logFormat": name} if name else {}))
        for number, name in enumerate(formats)
    ]
    with Hosted(tmp_path, plan, environment={"LOG_FORMAT": "json"}) as hosted:
        assert hosted.wait() == 0
        lines = hosted.out.read_text().splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert lines.count("ERROR: x") == 2
    levels = {}
    for line in lines:
        if line.startswith("time="):
            record = dict(decode(line.encode()))
            levels[record["name"]] = record["level"]
    assert levels == {"p0": "info", "p1": "error"}
    (fifth,) = [record for record in told if record["name"] == "p4"]
    assert (fifth["msg"], fifth["level"], fifth["out"]) == ("ERROR: x", "info", "stdout")
    assert {record["name"] for record in told} == {"p4", "procwrap"}
