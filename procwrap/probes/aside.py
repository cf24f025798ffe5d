"""Questions to the operating system that may never be answered, asked in threads of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from threading import Thread
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

Answer = TypeVar("Answer")
_Question = tuple[Callable[[str], Any], str]


def in_daemon_thread(work: Callable[[], None]) -> None:
    """Run ``work`` in a thread that nobody waits for, not even the interpreter at its end."""
    Thread(target=work, name="procwrap-aside", daemon=True).start()


@define(eq=False)
class Asides:
    """Asks blocking questions, each in at most one thread at a time; who asks meanwhile shares its answer.

    A dead network file system or name server holds a thread for minutes, or for ever. The reactor's pool
    is no place for that: its ten threads serve everyone, and the reactor waits for them when it stops.
    One of these for the whole host bounds the threads by the files and names in the plan.

    Attributes:
        run: starts a thread.
    """

    _reactor: IReactorFromThreads
    _run: Callable[[Callable[[], None]], None] = in_daemon_thread
    _askers: dict[_Question, list[Deferred[Any]]] = field(factory=dict)

    def ask(self, question: Callable[[str], Answer], about: str) -> Deferred[Answer]:
        """Call ``question(about)`` aside.

        Returns:
            A Deferred of what it returns or raises; cancelling it leaves the thread to itself.

        Raises:
            RuntimeError: no thread can be started.
        """
        key = (question, about)
        is_new = key not in self._askers
        askers = self._askers.setdefault(key, [])
        asker: Deferred[Answer] = Deferred(askers.remove)
        askers.append(asker)
        if is_new:
            try:
                self._run(lambda: self._work(key))
            except BaseException:
                del self._askers[key]
                raise
        return asker

    def load(self, module: str) -> Deferred[None]:
        """Import a module aside, for a driver takes longer than a reactor may be held up.

        Returns:
            A Deferred that fires whatever came of it: who needs the module imports it then, and sees. It
            fails only when it is cancelled.
        """
        if module in sys.modules:
            return succeed(None)
        return self.ask(import_module, module).addCallbacks(lambda _: None, _unless_cancelled)

    def _work(self, key: _Question) -> None:
        question, about = key
        try:
            answer = question(about)
        except Exception:
            answer = Failure()
        self._reactor.callFromThread(self._answered, key, answer)

    def _answered(self, key: _Question, answer: object) -> None:
        askers = self._askers.pop(key)
        while askers:
            askers.pop(0).callback(answer)


def _unless_cancelled(failure: Failure) -> None:
    if failure.check(CancelledError):
        failure.raiseException()
