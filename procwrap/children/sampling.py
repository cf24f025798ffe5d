"""Measures every few seconds what processes use, tells it, and condemns those that use more than they may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from threading import Thread
from time import thread_time
from typing import Any

from attrs import define
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from procwrap.children.child import Child
from procwrap.core.events import Event, Level, Notice, UsageSampled
from procwrap.core.lifecycle import Input, State
from procwrap.core.limits import Usage, excess

PERIOD = 5.0
"""Seconds from one measurement to the next."""

FRUGAL = 50
"""Those without a limit are left alone for this many times the CPU time that measuring took: 2 % of a core is
enough for showing what thousands of processes use. Limits hold every period."""

STUCK = 12
"""Periods that a measurement may take before somebody is told."""

Read = Callable[[Iterable[int]], Mapping[int, Usage]]
"""Leaders of process groups -> what each with all its descendants uses."""

_log = Logger()


def usage_reader() -> Read:
    """Return what measures; psutil is imported by the first measurement, in its thread."""
    made: list[Read] = []

    def read(leaders: Iterable[int]) -> Mapping[int, Usage]:
        if not made:
            from procwrap.children.usage import UsageReader

            made.append(UsageReader().read)
        return made[0](leaders)

    return read


def in_daemon_thread(work: Callable[[], None]) -> None:
    """Run ``work`` in a thread that nobody waits for, not even the interpreter at its end."""
    Thread(target=work, name="procwrap-usage", daemon=True).start()


@define(eq=False)
class Sampling:
    """Measures in a thread of its own, never twice at once: what the kernel holds up holds nobody else up.

    Args:
        reactor: IReactorTime and IReactorFromThreads.
        children: returns those to be measured.
        read: measures, and may take its time.
        run: starts a thread.
    """

    _reactor: Any
    _children: Callable[[], Iterable[Child]]
    _tell: Callable[[Event], None]
    _read: Read
    _run: Callable[[Callable[[], None]], None] = in_daemon_thread
    _measuring: bool = False
    _missed: int = 0
    _everybody_at: float = 0.0

    def start(self) -> None:
        """Begin; the first measurement comes a period later."""
        loop = LoopingCall(self._measure)
        loop.clock = self._reactor
        loop.start(PERIOD, now=False).addErrback(
            lambda failure: _log.failure("Nobody is measured any more", failure)
        )

    def _measure(self) -> None:
        if self._measuring:
            self._missed += 1
            if self._missed == STUCK:
                text = f"/proc has not been read for {STUCK * PERIOD:g}s: no memory limit holds meanwhile"
                self._tell(Notice(Level.WARNING, text))
            return
        leaders = {child.group: child for child in self._due() if child.group is not None}
        if leaders:
            self._measuring = True
            try:
                self._run(partial(self._work, leaders))
            except RuntimeError:
                # No thread can be started: perhaps the next time.
                self._measuring = False

    def _due(self) -> Iterable[Child]:
        if self._reactor.seconds() >= self._everybody_at:
            return self._children()
        return [child for child in self._children() if child.spec.memory_limit is not None]

    def _work(self, leaders: Mapping[int, Child]) -> None:
        began = thread_time()
        try:
            usages: Mapping[int, Usage] | Failure = self._read(tuple(leaders))
        except Exception:
            usages = Failure()
        self._reactor.callFromThread(self._measured, leaders, usages, thread_time() - began)

    def _measured(
        self, leaders: Mapping[int, Child], usages: Mapping[int, Usage] | Failure, cost: float
    ) -> None:
        self._measuring = False
        self._missed = 0
        self._everybody_at = max(self._everybody_at, self._reactor.seconds() + cost * FRUGAL)
        if isinstance(usages, Failure):
            _log.failure("cannot measure what processes use", usages)
            return
        # Those that have ended meanwhile, or run again by now under another pid, were not measured.
        found = [
            (child, usages[pid]) for pid, child in leaders.items() if pid in usages and child.group == pid
        ]
        if found:
            self._tell(UsageSampled({child.spec.name: usage for child, usage in found}))
        for child, usage in found:
            limit = child.spec.memory_limit
            reason = None if limit is None else excess(usage, limit)
            if reason is not None and child.state is not State.STOPPING:
                self._tell(Notice(Level.ERROR, reason, child.spec.name))
                child.happen(Input.OVER_LIMIT, reason)
