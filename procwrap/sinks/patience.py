"""How long to wait before something is sent again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from attrs import define, field

FIRST = 0.5
LONGEST = 8.0
"""Seconds at most: when a server is back, nobody waits for longer than that."""
SHORTEST = 0.05
"""Seconds at least, however the dice fall."""
LONGEST_ASKED = 60.0
"""Seconds that a server may ask for."""

_SECONDS = re.compile(r"[0-9]{1,9}\Z")


@define(eq=False)
class Patience:
    """Pauses that double, each times a random number up to 1, so that not all clients come back at once.

    Args:
        random: from 0 to 1.
    """

    _random: Callable[[], float]
    _failures: int = field(init=False, default=0)

    def pause(self, asked: float = 0.0) -> float:
        """Return for how many seconds to wait after another failure.

        Args:
            asked: seconds that the server wants us to wait for at least.
        """
        longest = min(FIRST * 2.0 ** min(self._failures, 30), LONGEST)
        self._failures += 1
        return asked + max(longest * self._random(), SHORTEST)

    def reset(self) -> None:
        """Begin anew: it has worked."""
        self._failures = 0


def retry_after(headers: Mapping[str, str], wall: float) -> float:
    """Return for how many seconds a server wants to be left alone (RFC 9110, 10.2.3), at most 60.

    Args:
        headers: by their names in lower case.
        wall: seconds since the epoch, for a server that names a point in time.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.match(text):
        return min(float(text), LONGEST_ASKED)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - wall
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_ASKED)
