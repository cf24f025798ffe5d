"""``procwrap --wait``: wait until the readiness file is there, without Twisted."""

from __future__ import annotations

import os
from collections.abc import Callable

LOOK = 0.1
"""Seconds between two looks; a watch would cost more than it saves for the seconds that this lives."""


def wait_for(path: str, deadline: float, sleep: Callable[[float], None], now: Callable[[], float]) -> bool:
    """Wait for a file.

    Args:
        path: the readiness file.
        deadline: seconds to wait at most.
        sleep: suspends for some seconds.
        now: monotonic seconds.

    Returns:
        Whether it was there in time.
    """
    until = now() + deadline
    while not os.path.exists(path):
        left = until - now()
        if left <= 0:
            return False
        sleep(min(LOOK, left))
    return True
