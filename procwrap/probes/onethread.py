"""What blocks, done one thing at a time in threads that nobody waits for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorFromThreads

from procwrap.probes.aside import in_daemon_thread

Answer = TypeVar("Answer")


@define(eq=False)
class OneThread:
    """At most one thread; there is none while there is nothing to do.

    Attributes:
        run: starts a thread.
    """

    _reactor: IReactorFromThreads
    _run: Callable[[Callable[[], None]], None] = in_daemon_thread
    _is_busy: bool = False
    _waiting: list[Deferred[None]] = field(factory=list)

    @property
    def is_busy(self) -> bool:
        """Whether a thread is at work."""
        return self._is_busy

    def free(self) -> Deferred[None]:
        """Return a Deferred that fires when no thread is at work."""
        if not self._is_busy:
            return succeed(None)
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def do(
        self, work: Callable[[], Answer], cut: Callable[[], None], ended: Callable[[], None]
    ) -> Deferred[Answer]:
        """Call ``work`` in a thread; only when none is at work.

        Args:
            work: blocks.
            cut: makes ``work`` end soon; called when the Deferred is cancelled.
            ended: called once ``work`` has ended, before its answer is given.

        Returns:
            A Deferred of what ``work`` returns or raises.

        Raises:
            RuntimeError: no thread can be started.
        """
        answer: Deferred[Answer] = Deferred(lambda _: cut())

        def in_thread() -> None:
            found: Any
            try:
                found = work()
            except Exception as error:
                found = error
            self._reactor.callFromThread(self._ended, answer, found, ended)

        self._is_busy = True
        try:
            self._run(in_thread)
        except RuntimeError:
            self._is_busy = False
            raise
        return answer

    def _ended(self, answer: Deferred[Any], found: object, ended: Callable[[], None]) -> None:
        self._is_busy = False
        ended()
        if not answer.called:
            if isinstance(found, Exception):
                answer.errback(found)
            else:
                answer.callback(found)
        waiting, self._waiting[:] = list(self._waiting), []
        for each in waiting:
            each.callback(None)
