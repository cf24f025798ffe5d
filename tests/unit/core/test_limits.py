from __future__ import annotations

import pytest

from procwrap.core.limits import Usage, excess

MIB = 1024 * 1024


def using(memory: int) -> Usage:
    return Usage(memory, 0.0, 1, 1, None)


@pytest.mark.parametrize("memory", [0, 1, 512 * MIB - 1, 512 * MIB])
def test_up_to_the_limit_all_is_well(memory: int) -> None:
    """The limit itself is still allowed."""
    assert excess(using(memory), 512 * MIB) is None


@pytest.mark.parametrize(
    ("memory", "said"),
    [
        (600 * MIB, "600"),
        (512 * MIB + 1, "512.1"),
        (512 * MIB + MIB // 2, "512.5"),
        (3 * 1024 * 1024 * MIB, "3145728"),
    ],
)
def test_over_the_limit_it_is_said_by_how_much(memory: int, said: str) -> None:
    """Rounded so that it never reads as if it were within the limit."""
    assert excess(using(memory), 512 * MIB) == f"memory {said} MiB over the limit of 512 MiB"
