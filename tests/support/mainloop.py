"""Stands in for the reactor in tests of what runs in threads of its own."""

from __future__ import annotations

import queue
from collections.abc import Callable

PATIENCE = 20.0
"""Seconds after which something that should have happened counts as never happening."""


class MainLoop:
    """Runs in the test's thread what other threads ask for with ``call_in_reactor``."""

    def __init__(self) -> None:
        self._calls: queue.Queue[Callable[[], object]] = queue.Queue()

    def call_in_reactor(self, function: Callable[..., object], *args: object) -> None:
        """As ``reactor.callFromThread``."""
        self._calls.put(lambda: function(*args))

    def run_until(self, done: Callable[[], bool]) -> None:
        """Run what is asked for until something is true.

        Raises:
            queue.Empty: Nothing more was asked for and it is still not true.
        """
        while not done():
            self._calls.get(timeout=PATIENCE)()
