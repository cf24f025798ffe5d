"""Somebody who is asked over HTTP, and answers when a test says so."""

from __future__ import annotations

from typing import NamedTuple

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred

from procwrap.core.events import Level
from procwrap.pod.ask import Answer, AskError, Request


class Question(NamedTuple):
    """A request that waits for its answer."""

    request: Request
    deferred: Deferred[Answer]


@define(eq=False)
class Asked:
    """An ``Ask`` whose answers are given by hand.

    Attributes:
        open: what has not been answered yet, the oldest first.
        heard: every request so far.
        cancelled: how many of them were given up by who asked.
        said: what was reported meanwhile.
    """

    open: list[Question] = field(factory=list)
    heard: list[Request] = field(factory=list)
    cancelled: int = 0
    said: list[tuple[Level, str]] = field(factory=list)

    def __call__(self, request: Request) -> Deferred[Answer]:
        """Take a request."""

        def cancel(deferred: Deferred[Answer]) -> None:
            self.open = [question for question in self.open if question.deferred is not deferred]
            self.cancelled += 1
            deferred.errback(CancelledError())

        deferred: Deferred[Answer] = Deferred(cancel)
        self.heard.append(request)
        self.open.append(Question(request, deferred))
        return deferred

    def answer(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
        """Answer the oldest request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.open.pop(0).deferred.callback(Answer(status, named, body))

    def fail(self, error: Exception | str = "connection refused") -> None:
        """Fail the oldest request."""
        self.open.pop(0).deferred.errback(AskError(error) if isinstance(error, str) else error)

    def report(self, level: Level, text: str) -> None:
        """Keep what is said for the log."""
        self.said.append((level, text))

    @property
    def texts(self) -> list[str]:
        """What was said, without the levels."""
        return [text for _, text in self.said]
