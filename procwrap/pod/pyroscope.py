"""Profiles procwrap itself with Pyroscope's agent, and tells once when nobody takes the profiles.

The agent is native code in threads of its own. A hundred times a second it looks from outside, without
Python's lock, at what this process is doing, and every ten seconds it sends what it saw, if it saw anything.
It says nothing when that fails; that is why there is a look of our own at the server.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from procwrap.core.events import Event, ShutdownBegan
from procwrap.core.snapshot import Snapshot
from procwrap.spec.profiling import Profiling

APPLICATION = "procwrap"
LOOK_AFTER = 5.0
"""Seconds until the look at the server: one that starts beside us need not be there at once."""

Ask = Callable[[Callable[[str], Any], str], Deferred[Any]]
"""Asks a blocking question about something aside."""


def load() -> Any:
    """Import the agent."""
    import pyroscope

    return pyroscope


@define(eq=False)
class Profiler:
    """The agent, from the start of procwrap to its end.

    Args:
        server: takes the profiles.
        tags: stand on all of them.
        look: says in one line what is wrong with the server, or nothing; blocks.
        warn: takes a line for the log.
        load: imports the agent.
    """

    _server: Profiling
    _tags: Mapping[str, str]
    _clock: IReactorTime
    _ask: Ask
    _look: Callable[[Profiling], str]
    _warn: Callable[[str], None]
    _load: Callable[[], Any] = load
    _agent: Any = field(init=False, default=None)
    _over: bool = field(init=False, default=False)
    _timer: IDelayedCall | None = field(init=False, default=None)

    def begin(self) -> None:
        """Start it in a thread: it takes 30 ms."""
        maybeDeferred(self._ask, self._start, APPLICATION).addCallbacks(self._started, self._cannot_start)

    def watch(self, _: Snapshot, event: Event) -> None:
        """Send what was seen so far when the end begins; nobody waits for that."""
        if isinstance(event, ShutdownBegan):
            self._over = True
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._agent is not None:
                maybeDeferred(self._ask, self._stop, APPLICATION).addErrback(lambda _: None)

    def _start(self, application: str) -> Any:
        # The agent's threads inherit this: signals are for those of Python.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            agent = self._load()
            started = agent.configure(
                application_name=application,
                server_address=self._server.address,
                basic_auth_username=self._server.user,
                basic_auth_password=self._server.password,
                tags=dict(self._tags),
                enable_logging=False,
            )
        except BaseException as error:
            # A panic of native code is no Exception, and may quote anything.
            raise _CannotStartError(f"its agent cannot be started ({type(error).__name__})") from None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if not started:
            raise _CannotStartError("its agent cannot be started")
        return agent

    def _started(self, agent: Any) -> None:
        self._agent = agent
        if not self._over:
            self._timer = self._clock.callLater(LOOK_AFTER, self._look_at_server)

    def _cannot_start(self, failure: Failure) -> None:
        self._warn(f"procwrap is not profiled: {failure.value}")

    def _stop(self, _: str) -> None:
        self._agent.shutdown()

    def _look_at_server(self) -> None:
        self._timer = None
        asked = maybeDeferred(self._ask, lambda _: self._look(self._server), self._server.address)
        asked.addCallbacks(self._looked, lambda _: None)

    def _looked(self, wrong: str) -> None:
        if wrong:
            self._warn(f"{self._server.address} does not take profiles: {wrong}; they are lost until it does")


class _CannotStartError(Exception):
    """The agent cannot be started; the text says why."""
