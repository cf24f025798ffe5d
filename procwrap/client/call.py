"""What a subcommand has in its hands."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from procwrap.client.host import Host
from procwrap.client.screen import Screen
from procwrap.client.words import Asked


class Clock(NamedTuple):
    """Where time comes from.

    Attributes:
        now: monotonic seconds.
        wall: seconds since the epoch.
        sleep: suspends for some seconds.
    """

    now: Callable[[], float]
    wall: Callable[[], float]
    sleep: Callable[[float], None]


class Call(NamedTuple):
    """One subcommand on its way.

    Attributes:
        asked: what the command line says.
        host: whom to ask.
        screen: where the answer goes.
        clock: where time comes from.
    """

    asked: Asked
    host: Host
    screen: Screen
    clock: Clock

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return self.clock.wall()
