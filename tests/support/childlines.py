"""Hypothesis strategies for what children write: anything at all, and what is likely to go wrong."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

_PIECES = [
    b"a",
    b"word",
    b" ",
    b"=",
    b'"',
    b"'",
    b"\\",
    b"\t",
    b"\r",
    b"\x00",
    b"\x1b[31m",
    b"\x7f",
    b"\n",
    b"\r\n",
    b"{",
    b"}",
    b"{}",
    b"level=info",
    b"level=error ",
    b"msg=hello ",
    b'msg="a b"',
    b"pid=1 ",
    b"time=now ",
    b'{"level":"warn","msg":"x","pid":[1,2.50]}',
    b'{"severity":"ERROR","message":"y',
    b"ERROR",
    b"WARN",
    b"DEBUG ",
    b"<3>",
    b"<13>",
    b"E1121 ",
    b"\xff",
    b"\xc2",
    b"\x85",
    b"\xe2\x82",
    b"\xac",
    "é".encode(),
    "€".encode(),
    "\x85".encode(),
    "\ufffd".encode(),
    "😀".encode(),
]

streams = st.one_of(st.lists(st.sampled_from(_PIECES), max_size=40).map(b"".join), st.binary(max_size=200))
"""Bytes of a stream."""

blocks = streams.map(lambda stream: stream + b"\n")
"""Complete lines."""

lines = streams.map(lambda stream: stream.replace(b"\n", b""))
"""One line without its newline."""


@st.composite
def chunked(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Return a stream and the same stream in chunks."""
    stream = draw(streams)
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    edges = [0, *cuts, len(stream)]
    return stream, [stream[start:end] for start, end in pairwise(edges)]
