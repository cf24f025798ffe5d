"""Stands in for ``Asides.ask``: questions are answered by the test, or at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


class Questions:
    """Collects what is asked."""

    def __init__(self) -> None:
        self.open: list[tuple[Callable[[str], Any], str, Deferred[Any]]] = []

    def ask(self, question: Callable[[str], Any], about: str) -> Deferred[Any]:
        """As ``Asides.ask``."""
        asked: Deferred[Any] = Deferred()
        self.open.append((question, about, asked))
        return asked

    def answer(self, value: Any) -> None:
        """Answer the oldest question with a value, or with an exception."""
        _, _, asked = self.open.pop(0)
        if isinstance(value, Exception):
            asked.errback(Failure(value))
        else:
            asked.callback(value)

    def find_out(self) -> None:
        """Answer the oldest question truly."""
        question, about, _ = self.open[0]
        try:
            self.answer(question(about))
        except OSError as error:
            self.answer(error)


def at_once(question: Callable[[str], Any], about: str) -> Deferred[Any]:
    """Answer without any thread."""
    questions = Questions()
    asked = questions.ask(question, about)
    questions.find_out()
    return asked
