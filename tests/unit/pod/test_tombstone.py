from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.pod.tombstone import Tombstone, read, write

TIME = 1_795_298_584.125


def test_what_is_written() -> None:
    """The keys of kubexit; times in RFC 3339, quoted as it quotes them."""
    assert write(Tombstone(TIME, TIME + 1, 143)) == (
        'Born: "2026-11-21T22:03:04.125000Z"\nDied: "2026-11-21T22:03:05.125000Z"\nExitCode: 143\n'
    )
    assert write(Tombstone(TIME)) == 'Born: "2026-11-21T22:03:04.125000Z"\n'


@given(
    st.builds(
        Tombstone,
        st.none() | st.integers(0, 4_000_000_000).map(float),
        st.none() | st.integers(0, 4_000_000_000).map(float),
        st.none() | st.integers(0, 255),
    )
)
def test_what_is_written_can_be_read(stone: Tombstone) -> None:
    """Whatever life it was."""
    assert read(write(stone)) == stone


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ('Died: "2026-11-21T22:03:04.125999999Z"', TIME + 0.000999),
        ("Died: 2026-11-21T22:03:04.125Z", TIME),
        ("Died: '2026-11-22T00:03:04.125+02:00'  # two hours east", TIME),
        ("ExitCode: 0\r\nDied: 2026-11-21T22:03:04Z\r\nUnknown: 1\r\n", TIME - 0.125),
    ],
)
def test_what_others_write(text: str, seconds: float) -> None:
    """Go's nanoseconds, other quotes, other zones, keys that nobody knows."""
    died = read(text).died
    assert died is not None
    assert abs(died - seconds) < 1e-5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Died:",
        'Died: "2026-11-2',
        "Died: yesterday",
        "Died: 2026-13-41T99:00:00Z",
        "Died: null",
        "\0",
        "- a",
    ],
)
def test_half_a_tombstone_says_nothing(text: str) -> None:
    """Nobody is dead because of a file that is being written, or is none."""
    assert read(text).died is None


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    """Nothing that stands there ends procwrap."""
    assert read(f"ExitCode: {text}").born is None
