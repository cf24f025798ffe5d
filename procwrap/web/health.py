"""/liveness and /readiness, at once or, with ``?wait``, when they are 200."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import IRequest

from procwrap.core.board import Board
from procwrap.core.events import Event
from procwrap.core.snapshot import Snapshot
from procwrap.core.verdicts import Verdict
from procwrap.web.answers import OK, UNAVAILABLE, BadRequestError, Reply, argument, data
from procwrap.web.seats import NO_SEAT, Seats


def seconds_of(text: str, duration: Callable[[str], float]) -> float | None:
    """Return how long ``?wait=TEXT`` waits at most; None for as long as it takes.

    Raises:
        BadRequestError: nobody can tell.
    """
    if not text:
        return None
    try:
        return duration(text)
    except ValueError:
        raise BadRequestError(f"wait={text[:40]}: expected a duration such as 30s or 2m30s") from None


@define(eq=False)
class Question:
    """One question of health; its answer is rendered once a snapshot, not once a request."""

    _board: Board
    _judge: Callable[[Snapshot], Verdict]
    _answered: Snapshot | None = field(init=False, default=None)
    _reply: Reply = field(init=False, default=Reply(UNAVAILABLE))

    def reply(self) -> Reply:
        """Answer from what is true now."""
        snapshot = self._board.snapshot
        if snapshot is not self._answered:
            verdict = self._judge(snapshot)
            self._reply = data(verdict.body(), OK if verdict.ok else UNAVAILABLE)
            self._answered = snapshot
        return self._reply


@define(eq=False)
class WaitingRoom:
    """Holds requests until their question is answered with 200.

    Attributes:
        duration: turns Go-style text such as ``30s`` into seconds, or raises ValueError.
        seats: are taken by those who wait.
    """

    _board: Board
    _clock: IReactorTime
    _duration: Callable[[str], float]
    _seats: Seats

    def asked(self, question: Question, request: IRequest) -> Reply | Deferred[Reply]:
        """Answer a request, later if it says ``?wait``; cancelling the Deferred leaves nothing behind."""
        text = argument(request, "wait")
        if text is None:
            return question.reply()
        seconds = seconds_of(text, self._duration)
        reply = question.reply()
        if self._hopeless(reply):
            return reply
        return self._wait(question, seconds) if self._seats.take() else NO_SEAT

    def _hopeless(self, reply: Reply) -> bool:
        # Once the end has begun, nothing becomes ready: whoever waits for it is told so at once.
        return reply.code == OK or self._board.snapshot.shutdown

    def _wait(self, question: Question, seconds: float | None) -> Deferred[Reply]:
        answered: Deferred[Reply] = Deferred()

        def look(_: Snapshot, __: Event) -> None:
            # The board still tells watchers that were forgotten while it was telling.
            if not answered.called and self._hopeless(question.reply()):
                answered.callback(question.reply())

        def leave(result: Reply) -> Reply:
            self._seats.leave()
            forget()
            if patience is not None and patience.active():
                patience.cancel()
            return result

        forget = self._board.watch(look)
        patience = (
            None
            if seconds is None
            else self._clock.callLater(seconds, lambda: answered.callback(question.reply()))
        )
        return answered.addBoth(leave)
