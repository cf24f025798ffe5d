from __future__ import annotations

import enum
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.logs.record import own_record
from tests.support import gologfmt

STAMP = "2026-11-21T20:03:04.567Z"


class Level(enum.IntEnum):
    """Something that is a number and more."""

    HIGH = 3


FIELDS = {"process": "web", "pid": 31, "delay": 0.5, "ok": True, "reason": None, "rank": Level.HIGH}


def test_own_message_in_logfmt() -> None:
    """Our own messages look like the children's and say where they come from."""
    expected = (
        b'time="2026-11-21T20:03:04.567Z" level=warning msg="web exited" name=procwrap '
        b"process=web child_pid=31 delay=0.5 ok=true reason=null rank=3\n"
    )
    for log_format in ("logfmt", "auto"):
        assert own_record(log_format, STAMP, "warning", "web exited", FIELDS) == expected


def test_own_message_in_json() -> None:
    """Numbers, booleans and None keep their type."""
    assert own_record("json", STAMP, "info", 'say "hi"', FIELDS) == (
        b'{"time":"2026-11-21T20:03:04.567Z","level":"info","msg":"say \\"hi\\"","name":"procwrap",'
        b'"process":"web","child_pid":31,"delay":0.5,"ok":true,"reason":null,"rank":3}\n'
    )


@pytest.mark.parametrize("log_format", ["free", "plain"])
def test_own_message_without_a_format(log_format: str) -> None:
    """Among unformatted lines ours can be told by their beginning."""
    expected = b'2026-11-21T20:03:04.567Z info procwrap: cannot open "x"\\n path="/a b"\n'
    assert own_record(log_format, STAMP, "info", 'cannot open "x"\n', {"path": "/a b"}) == expected
    assert own_record(log_format, STAMP, "info", "up") == b"2026-11-21T20:03:04.567Z info procwrap: up\n"


@given(st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.floats() | st.none()))
def test_anything_can_be_said(msg: str, fields: dict[str, object]) -> None:
    """Whatever a message quotes, the record is one line that parses."""
    record = own_record("logfmt", STAMP, "info", msg, fields)
    pairs = gologfmt.decode(record[:-1])
    assert record.count(b"\n") == 1
    assert pairs[:4] == [("time", STAMP), ("level", "info"), ("msg", msg), ("name", "procwrap")]
    assert len(pairs) == 4 + len(fields)
    parsed = json.loads(own_record("json", STAMP, "info", msg, fields), parse_constant=pytest.fail)
    assert parsed["msg"] == msg
    assert len(parsed) == 4 + len(fields)
