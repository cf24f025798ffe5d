from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procwrap.client.merge import merged, stamp
from procwrap.core.timestamp import rfc3339
from procwrap.logs.formats import formatter
from procwrap.logs.source import Source

SOURCE = Source(name="api", out="stdout", pid=31, labels={})
STAMP = "2026-11-21T20:03:04.567Z"


def test_the_time_of_what_procwrap_writes() -> None:
    """In every format that has one."""
    for log_format in ("logfmt", "auto", "json"):
        assert stamp(formatter(log_format, SOURCE)(b"listening\n", STAMP, False)) == STAMP.encode(), (
            log_format
        )
    assert stamp(formatter("free", SOURCE)(b"listening\n", STAMP, False)) == b""


def test_in_the_order_of_their_times() -> None:
    """Of two at the same time the process that was named first goes first."""
    ours = [b'time="2026-11-21T20:03:04.567Z" msg=1', b'time="2026-11-21T20:03:05.000Z" msg=3']
    theirs = [
        b'{"time":"2026-11-21T20:03:04.567Z","msg":"2"}',
        b'{"time":"2026-11-21T20:03:06.000Z","msg":"4"}',
    ]
    assert list(merged([ours, theirs])) == [ours[0], theirs[0], ours[1], theirs[1]]


RECORDS = st.lists(
    st.one_of(
        st.binary(max_size=10),
        st.floats(0, 10**10).map(lambda wall: f'time="{rfc3339(wall)}" msg=x'.encode()),
    ),
    max_size=10,
)


@given(st.lists(RECORDS, max_size=4))
def test_nothing_is_lost_and_each_keeps_its_own_order(sources: list[list[bytes]]) -> None:
    """Also where a clock was set back, or a record has no time."""
    sources = [
        [b"%d:%d " % (n, m) + each for m, each in enumerate(source)] for n, source in enumerate(sources)
    ]
    found = list(merged(sources))
    for number, source in enumerate(sources):
        assert [record for record in found if record.startswith(b"%d:" % number)] == source
    assert len(found) == sum(map(len, sources))
