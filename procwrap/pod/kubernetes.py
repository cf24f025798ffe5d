"""What is known of our Pod, for as long as somebody wants to know: one list, and watches from there on.

Nothing is polled: an API server tells what changes. A watch that ends, as each does after some minutes, goes
on where it was; only when the API server has forgotten that version (410) everything is listed again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Protocol

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from procwrap.core.policy import backoff
from procwrap.pod.outage import Outage
from procwrap.pod.podview import PodView
from procwrap.pod.problem import ApiError, ExpiredError, TokenError
from procwrap.pod.watch import Known, Lines, changed, listed
from procwrap.spec.process import Backoff

WATCH = 240
"""Seconds for which a watch is asked, and up to a quarter more, so that not all Pods come back at once."""
STEADY = 1.0
"""Seconds after which a watch counts as one that works."""
PAUSE = Backoff(0.25, 8.0)
"""Seconds before the next attempt, of which a random share is waited, at least half."""
_log = Logger()


class Api(Protocol):
    """How the API server is asked; see ``apiserver.py``."""

    @property
    def namespace(self) -> str:
        """That of the Pod."""

    def list(self) -> Deferred[bytes]:
        """Ask how the Pod is."""

    def watch(
        self, version: str, seconds: int, began: Callable[[], None], take: Callable[[bytes], None]
    ) -> Deferred[None]:
        """Ask what changes about it."""


@frozen
class Sight:
    """What can be said about the Pod now.

    Attributes:
        pod: as it was last seen; None when it was not.
        trouble: why nothing new can be learned; empty when everything is.
        refused: that is something which only a person can mend.
    """

    pod: PodView | None = None
    trouble: str = ""
    refused: bool = False


See = Callable[[Sight], None]


@define(eq=False)
class _Run:
    """One time of watching, from the first who follows to the last.

    Attributes:
        steady: the watch that goes on holds.
    """

    starting: IDelayedCall | None = None
    loop: Deferred[None] | None = None
    steady: bool = False
    _settling: IDelayedCall | None = None

    def settle(self, timer: IDelayedCall | None) -> None:
        """Replace the timer after which a watch is steady."""
        if self._settling is not None and self._settling.active():
            self._settling.cancel()
        self._settling = timer

    def end(self) -> None:
        """Ask nothing any more."""
        self.settle(None)
        if self.starting is not None and self.starting.active():
            self.starting.cancel()
        if self.loop is not None:
            self.loop.cancel()


@define(eq=False)
class PodWatch:
    """Tells those who follow it what becomes of a Pod; while nobody does, it asks nothing.

    Args:
        name: of the Pod.
        make: returns, in its own time, how the API server is asked; it is called until it succeeds.
        random: from 0 to 1.
        outage: tells the log when things go wrong.

    Attributes:
        sight: what can be said about the Pod now.
    """

    _name: str
    _make: Callable[[], Deferred[Api]]
    _clock: IReactorTime
    _random: Callable[[], float]
    _outage: Outage
    sight: Sight = Sight()
    _known: Known = Known()
    _api: Api | None = None
    _followers: list[See] = field(factory=list)
    _run: _Run | None = None
    _failures: int = 0

    def follow(self, see: See) -> Callable[[], None]:
        """Call ``see`` with what can be said now, and with whatever changes about that.

        Returns:
            A callable that ends it.
        """
        self._followers.append(see)
        if self._run is None:
            self._run = run = _Run()
            run.starting = self._clock.callLater(0, self._start, run)
        elif self.sight != Sight():
            see(self.sight)

        def forget() -> None:
            if see in self._followers:
                self._followers.remove(see)
                if not self._followers:
                    self._rest()

        return forget

    def _start(self, run: _Run) -> None:
        run.loop = self._loop(run)

        def failed(failure: Failure) -> None:
            if self._run is run:
                _log.failure("watching the Pod", failure)

        run.loop.addErrback(failed)

    def _rest(self) -> None:
        run, self._run = self._run, None
        # What happens from now on is not seen. Which Pod is ours does not change.
        self.sight, self._known, self._failures = Sight(), Known(uid=self._known.uid), 0
        if run is not None:
            # Not now: it may be the loop itself that brought us here.
            self._clock.callLater(0, run.end)

    @inlineCallbacks
    def _loop(self, run: _Run) -> Generator[Deferred[Any], Any, None]:
        while self._run is run:
            run.steady = False
            try:
                yield from self._once(run)
            except Exception as error:
                if self._run is run:
                    self._fails(error)
            run.settle(None)
            if self._run is run and not run.steady:
                yield deferLater(self._clock, self._pause())

    def _once(self, run: _Run) -> Generator[Deferred[Any], Any, None]:
        if self._api is None:
            self._api = yield self._make()
        if not self._known.version:
            body: bytes = yield self._api.list()
            self._know(listed(self._known, body, self._name), run)
            self._must_exist(self._api.namespace)
        lines = Lines()

        def begin() -> None:
            # Nothing may happen for a long time; that it holds is news all the same.
            run.settle(self._clock.callLater(STEADY, self._is_steady, run))

        def take(piece: bytes) -> None:
            for line in lines.feed(piece):
                self._know(changed(self._known, line, self._name), run)
                self._failures = 0

        seconds = WATCH + int(self._random() * WATCH / 4)
        yield self._api.watch(self._known.version, seconds, begin, take)

    def _is_steady(self, run: _Run) -> None:
        run.steady = True
        self._failures = 0
        self._works()

    def _know(self, known: Known, run: _Run) -> None:
        if self._run is run:
            self._known = known
            self._works()

    def _must_exist(self, namespace: str) -> None:
        if self._known.pod is None:
            self._known = evolve(self._known, version="")
            text = f"there is no Pod {self._name} in the namespace {namespace}"
            hint = " any more" if self._known.uid else ": set POD_NAME and POD_NAMESPACE by the downward API"
            raise ApiError(text + hint, refused=True)

    def _works(self) -> None:
        if self._known.pod is not None:
            self._outage.is_over()
        self._show(Sight(self._known.pod))

    def _fails(self, error: Exception) -> None:
        if isinstance(error, ExpiredError):
            self._known = evolve(self._known, version="")
            return
        if not isinstance(error, ApiError):
            _log.failure("watching the Pod")
            error = ApiError(f"a bug in procwrap: {type(error).__name__}")
        # A connection that ends is nothing to speak of as long as the next one holds. Nor is a token that was
        # replaced just when it was sent.
        if self._failures or (self._known.pod is None and not isinstance(error, TokenError)):
            self._outage.goes_on(error)
            self._show(Sight(self._known.pod, str(error), error.refused))

    def _show(self, sight: Sight) -> None:
        if sight == self.sight:
            return
        self.sight = sight
        for see in tuple(self._followers):
            if see in self._followers and self.sight is sight:
                see(sight)

    def _pause(self) -> float:
        longest = backoff(PAUSE, self._failures)
        self._failures += 1
        return longest * (0.5 + 0.5 * self._random())
