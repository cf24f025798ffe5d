"""The lock of one process: taken before it starts, kept while it runs, given back when all of it is gone."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Protocol

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import deferLater

from procwrap.core.locks import LockAsked, LockChange, LockChanged, LockEvent
from procwrap.lock.guarding import Guarding
from procwrap.lock.leases import Leases
from procwrap.lock.seeking import Found, Seeking
from procwrap.lock.tenure import Tenure
from procwrap.spec.probe import Pairs

FENCING_TOKEN = "PROCWRAP_FENCING_TOKEN"
BREATH = 0.3
"""Seconds, at least, between the loss of a lock and the next attempt to take it."""
BEGIN_WITHIN = 5.0
"""Seconds in which a process has to be started that has its lock: others would, too."""


class Reply(Protocol):
    """How the question of a process is answered (``children/permits.py``)."""

    @property
    def grant(self) -> Callable[[Pairs], None]:
        """It may start, with these variables."""

    @property
    def stand_by(self) -> Callable[[str], None]:
        """Another does its work, or nobody knows."""


@frozen
class Surroundings:
    """What a lock needs of the others.

    Attributes:
        now: seconds of the guard's clock.
        random: 0 to 1.
        draw: a name that nobody has used for a question to the server.
        tell: takes what happens.
        lose: kills the process at once and has it ask anew; with its name and the reason.
        kill: sends SIGKILL to a group; is_left: whether it has a member.
    """

    guarding: Guarding
    clock: IReactorTime
    now: Callable[[], float]
    random: Callable[[], float]
    draw: Callable[[], str]
    tell: Callable[[LockEvent], None]
    lose: Callable[[str, str], None]
    kill: Callable[[int], object]
    is_left: Callable[[int], bool]


@define(eq=False)
class LockPermit:
    """Grants a start when the lock is ours; a ``children.permits.Permit`` of one process."""

    _name: str
    _leases: Leases
    _around: Surroundings
    _reply: Reply | None = None
    _seeking: Seeking | None = None
    _tenure: Tenure | None = None
    _group: int | None = None
    _over: Deferred[None] = field(factory=lambda: succeed(None))
    _begin_by: IDelayedCall | None = None

    @property
    def over(self) -> Deferred[None]:
        """Return a Deferred that fires when nothing is under way of what was asked for or held before."""
        fired: Deferred[None] = Deferred()

        def passed(result: Any) -> Any:
            fired.callback(None)
            return result

        self._over.addBoth(passed)
        return fired

    def begin_run(self) -> None:
        """Let the guard know the process; it calls this itself, before it becomes the command."""
        if self._tenure is None:
            raise RuntimeError("it was lost before the process could begin")
        self._tenure.run.begin()

    def begun(self, group: int) -> None:
        """Note which group it leads."""
        self._group = group
        self._calm()

    def ask(self, name: str, reply: Reply) -> None:
        """Seek the lock, once its last run is over."""
        self._reply = reply
        self.over.addCallback(lambda _: self._seek(reply))

    def leave(self, name: str) -> None:
        """Seek it no more."""
        self._reply = None
        if self._seeking is not None:
            self._seeking.leave()

    def ended(self, name: str) -> None:
        """Give it back when nothing is left of the process."""
        tenure = self._tenure
        if tenure is None:
            return
        self._calm()
        tenure.look()
        self._tenure = None
        self._over = self._finish(tenure)

    def _seek(self, reply: Reply) -> None:
        if reply is self._reply:
            self._over = self._get(reply)

    @inlineCallbacks
    def _get(self, reply: Reply) -> Generator[Deferred[Any], Any, None]:
        while True:
            self._seeking = self._make_seeking(reply)
            found = yield self._seeking.begin()
            self._seeking = None
            if found is None:
                return
            tenure = self._make_tenure(found)
            if tenure.held:
                break
            # The guard has gone at this very moment.
            yield self._finish(tenure)
        self._tenure, around = tenure, self._around
        around.tell(LockChanged(self._name, LockChange.TAKEN, f"fencing token {tenure.token}"))
        self._begin_by = around.clock.callLater(BEGIN_WITHIN, self._not_begun)
        reply.grant(((FENCING_TOKEN, str(tenure.token)),))

    def _make_seeking(self, reply: Reply) -> Seeking:
        around = self._around
        return Seeking(
            self._leases,
            around.guarding.ready,
            around.clock,
            around.now,
            around.random,
            lambda outcome: around.tell(LockAsked(self._name, outcome)),
            reply.stand_by,
            around.draw(),
        )

    def _make_tenure(self, found: Found) -> Tenure:
        around = self._around
        tenure = Tenure(found, self._leases, around.guarding.guard, around.clock, around.now, self._lost)
        tenure.begin()
        return tenure

    def _not_begun(self) -> None:
        self._around.lose(
            self._name, "it could not begin, and nobody else could either: its lock is given back"
        )

    def _lost(self, reason: str) -> None:
        if self._tenure is not None or self._group is not None:
            self._around.tell(LockChanged(self._name, LockChange.LOST, reason))
        if self._group is not None:
            self._around.kill(self._group)
        if self._tenure is not None:
            self._around.lose(self._name, f"lost the shared lock: {reason}")

    @inlineCallbacks
    def _finish(self, tenure: Tenure) -> Generator[Deferred[Any], Any, None]:
        around = self._around
        kept = yield tenure.finish(lambda: self._group is not None and around.is_left(self._group))
        self._group = None
        if kept:
            around.tell(LockChanged(self._name, LockChange.GIVEN_BACK))
        else:
            yield deferLater(around.clock, BREATH * (1 + around.random()))

    def _calm(self) -> None:
        if self._begin_by is not None and self._begin_by.active():
            self._begin_by.cancel()
