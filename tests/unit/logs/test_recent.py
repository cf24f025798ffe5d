from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procwrap.logs.recent import Recent


def numbered(first: int, last: int) -> bytes:
    return b"".join(b"%d\n" % number for number in range(first, last))


def test_the_newest_lines_are_kept() -> None:
    """``logs -n`` shows the last lines in their order."""
    recent = Recent()
    recent.add(numbered(0, 3), 3)
    recent.add(numbered(3, 5), 2)
    assert recent.tail(0) == b""
    assert recent.tail(1) == b"4\n"
    assert recent.tail(3) == b"2\n3\n4\n"
    assert recent.tail(99) == numbered(0, 5)


def test_no_more_than_a_thousand_lines() -> None:
    """What is older is forgotten, whether it came line by line or in large chunks."""
    for size in (1, 7, 999, 5000):
        recent = Recent()
        for first in range(0, 10_000, size):
            recent.add(numbered(first, min(first + size, 10_000)), min(size, 10_000 - first))
        assert recent.tail(10_000) == numbered(9000, 10_000)


def test_no_more_than_a_mebibyte() -> None:
    """Of long lines fewer are kept."""
    recent = Recent()
    line = b"x" * 99_999 + b"\n"
    for _ in range(30):
        recent.add(line, 1)
    assert recent.tail(1000) == line * 10


def test_a_chunk_over_the_bound_leaves_its_end() -> None:
    """Records are kept whole."""
    recent = Recent(max_bytes=10)
    recent.add(b"12345\n678\n90\n", 3)
    assert recent.tail(9) == b"678\n90\n"
    recent.add(b"123456789\n12345678\n\n", 3)
    assert recent.tail(9) == b"12345678\n\n"


def test_a_record_over_the_bound_is_not_kept() -> None:
    """A torn record would not be readable, and the ones before it stay."""
    recent = Recent(max_bytes=10)
    recent.add(b"a\n", 1)
    recent.add(b"x" * 10 + b"\n", 1)
    assert recent.tail(9) == b"a\n"


@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=6)), st.integers(1, 8), st.integers(1, 40))
def test_bounds_hold_for_any_chunks(sizes: list[list[int]], max_lines: int, max_bytes: int) -> None:
    """Never more than the bounds, always whole lines, always the newest, and the newest chunk if it fits."""
    recent = Recent(max_lines, max_bytes)
    everything = b""
    for chunk in sizes:
        data = b"".join(b"x" * size + b"\n" for size in chunk)
        everything += data
        recent.add(data, len(chunk))
        kept = recent.tail(100)
        assert kept.count(b"\n") <= max_lines
        assert len(kept) <= max_bytes
        if len(data) <= max_bytes and len(chunk) <= max_lines:
            assert kept.endswith(data)
    if all(size < max_bytes for chunk in sizes for size in chunk):
        assert everything.endswith(recent.tail(100))


def test_followers_get_what_comes() -> None:
    """Everything from then on, also what is too long to be kept, until they have enough."""
    recent = Recent(max_bytes=10)
    taken: list[tuple[bytes, int]] = []
    recent.add(b"before\n", 1)
    forget = recent.follow(lambda data, records: taken.append((data, records)))
    recent.add(b"a\nb\n", 2)
    recent.add(b"x" * 20 + b"\n", 1)
    forget()
    forget()
    recent.add(b"after\n", 1)
    assert taken == [(b"a\nb\n", 2), (b"x" * 20 + b"\n", 1)]
