"""/api/processes/NAME/… and /api/reload: the only routes that change something, by the fleet's hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define
from twisted.internet.defer import CancelledError, Deferred, fail, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from zope.interface import implementer

from procwrap.core.board import Board
from procwrap.core.changes import Changes
from procwrap.core.verdicts import Json, reason
from procwrap.errors import OrderRefusedError, ProcwrapError
from procwrap.interfaces import IFleet
from procwrap.web.answers import ACCEPTED, OK, BadRequestError, Reply, argument, complaint, data
from procwrap.web.health import seconds_of
from procwrap.web.processes import NO_SUCH_PROCESS
from procwrap.web.seats import NO_SEAT, Seats

CONFLICT = 409
UNPROCESSABLE = 422


@implementer(IFleet)
class NoFleet:
    """Where nothing can be controlled."""

    def start(self, name: str) -> Deferred[None]:
        """Refuse."""
        return fail(_cannot())

    stop = restart = start

    def signal(self, name: str, number: int) -> None:
        """Refuse."""
        raise _cannot()

    def reload(self) -> Deferred[None]:
        """Refuse."""
        return fail(_cannot())


def _cannot() -> OrderRefusedError:
    return OrderRefusedError("nothing can be controlled here")


@define(eq=False)
class Control:
    """Passes on what an operator asks for, and answers what came of it.

    Attributes:
        duration: turns Go-style text such as ``30s`` into seconds, or raises ValueError.
        signal_number: turns ``HUP``, ``SIGHUP`` or ``1`` into a number, or raises ValueError.
        seats: are taken by those who wait for what they asked for.
    """

    _fleet: IFleet
    _board: Board
    _clock: IReactorTime
    _duration: Callable[[str], float]
    _signal_number: Callable[[str], int]
    _seats: Seats

    def start(self, request: IRequest, name: str) -> Reply | Deferred[Reply]:
        """Start a process that does not run."""
        return self._order(request, name, self._fleet.start)

    def stop(self, request: IRequest, name: str) -> Reply | Deferred[Reply]:
        """Stop a process."""
        return self._order(request, name, self._fleet.stop)

    def restart(self, request: IRequest, name: str) -> Reply | Deferred[Reply]:
        """Stop a process if it runs, and start it."""
        return self._order(request, name, self._fleet.restart)

    def signal(self, request: IRequest, name: str) -> Reply:
        """Send a signal to the process group of a process."""
        if name not in self._board.snapshot.processes:
            return NO_SUCH_PROCESS
        number = self._number(argument(request, "signal"))
        try:
            self._fleet.signal(name, number)
        except OrderRefusedError as refused:
            return complaint(CONFLICT, str(refused))
        return data(self._state(name))

    def reload(self, _: IRequest) -> Reply | Deferred[Reply]:
        """Read the config again and change what has changed in it."""
        if not self._seats.take():
            return NO_SEAT
        reloaded: Deferred[Any] = maybeDeferred(self._fleet.reload).addBoth(self._seats.left)
        return reloaded.addCallbacks(lambda changes: data(changes_told(changes)), _not_reloaded)

    def _order(
        self, request: IRequest, name: str, order: Callable[[str], Deferred[None]]
    ) -> Reply | Deferred[Reply]:
        if name not in self._board.snapshot.processes:
            return NO_SUCH_PROCESS
        wait = argument(request, "wait")
        if wait == "false":
            return self._at_once(name, maybeDeferred(order, name))
        seconds = None if wait == "true" else seconds_of(wait or "", self._duration)
        if not self._seats.take():
            return NO_SEAT
        done = maybeDeferred(order, name).addBoth(self._seats.left)
        if seconds is not None:
            done.addTimeout(seconds, self._clock, _gave_up)
        return done.addCallbacks(lambda code: data(self._state(name), code or OK), _refused)

    def _at_once(self, name: str, done: Deferred[Any]) -> Reply | Deferred[Reply]:
        if not done.called:
            # Nobody waits for it; it goes on all the same.
            done.addErrback(lambda _: None)
            done.cancel()
            return data(self._state(name), ACCEPTED)
        return done.addCallbacks(lambda _: data(self._state(name), ACCEPTED), _refused)

    def _number(self, text: str | None) -> int:
        if not text:
            raise BadRequestError("missing argument: signal?signal=HUP")
        try:
            return self._signal_number(text)
        except ValueError:
            raise BadRequestError(f"signal={text[:40]}: expected a signal such as HUP, SIGHUP or 1") from None

    def _state(self, name: str) -> Json:
        view = self._board.snapshot.processes.get(name)
        if view is None:  # a reload has removed it meanwhile
            return {"name": name, "state": None, "pid": None, "reason": "it is no longer in the config"}
        return {"name": name, "state": view.state.value, "pid": view.pid, "reason": reason(view)}


def changes_told(changes: Changes) -> Json:
    """Return what a client reads about a reload."""
    return {
        "added": changes.added,
        "removed": changes.removed,
        "restarted": dict(changes.restarted),
        "adjusted": dict(changes.adjusted),
        "unchanged": changes.unchanged,
        "needsRestart": changes.needs_restart,
        "failed": dict(changes.failed),
        "warnings": changes.warnings,
    }


def _gave_up(result: Any, _: float) -> Any:
    if isinstance(result, Failure):
        result.trap(CancelledError)
        return ACCEPTED
    return result


def _refused(failure: Failure) -> Reply:
    failure.trap(OrderRefusedError)
    return complaint(CONFLICT, str(failure.value))


def _not_reloaded(failure: Failure) -> Reply:
    failure.trap(ProcwrapError)
    if isinstance(failure.value, OrderRefusedError):
        return _refused(failure)
    errors = str(failure.value).splitlines()
    return data({"error": "the config cannot be taken as it is", "errors": errors}, UNPROCESSABLE)
