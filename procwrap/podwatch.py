"""Part of the composition root: what the other containers of our Pod decide; only where it was asked for."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from procwrap.children.permits import Permit
from procwrap.coordinating import Ties
from procwrap.core.events import Event, Level, Notice, SignalReceived
from procwrap.core.roster import Derived
from procwrap.core.snapshot import Snapshot
from procwrap.errors import ExitStatus
from procwrap.pod.kubernetes import PodWatch, Sight
from procwrap.pod.lastwait import LastWait
from procwrap.pod.ours import Ours, read_traces
from procwrap.pod.outage import Outage
from procwrap.pod.permits import Births, Sidecars
from procwrap.pod.sidecars import completed
from procwrap.probes.aside import Asides
from procwrap.spec.pod import OwnPod

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})


@define(eq=False)
class PodTies:
    """Everything that ties our processes to the other containers."""

    _ties: Ties
    _pod: OwnPod
    _ours: Ours = field(init=False)
    _watch: PodWatch = field(init=False)
    _sidecars: Sidecars = field(init=False)
    _forget: Callable[[], None] = field(init=False)
    _given_up: bool = False

    def __attrs_post_init__(self) -> None:
        """Build it; nothing is asked yet."""
        reactor, pod = self._ties.reactor, self._pod
        warn = partial(self._say, Level.WARNING)
        self._ours = Ours(pod.container, pod.perhaps, read_traces(), warn)
        outage = Outage(pod.name, reactor, self._say)
        self._watch = PodWatch(pod.name, self._make_api, reactor, random.random, outage)
        self._sidecars = Sidecars(self._watch, self._ours.name, reactor, self._give_up)

    def permits(self) -> Iterator[Callable[[str], Permit | None]]:
        """Yield what tells who has to agree before a process starts, in the order in which they are asked."""
        if self._pod.wait_sidecars:
            yield lambda name: self._sidecars
        asked = Derived(self._ties.roster, lambda spec: spec.birth)
        births = Births(self._watch, asked, self._ties.reactor, self._give_up)
        yield lambda name: births if name in asked else None

    def begin(self) -> None:
        """Watch, if it is to be watched from the beginning, and wait at the end, if it is to be waited."""
        if self._pod.handle_termination:
            self._forget = self._watch.follow(self._look_for_completed)
        if self._pod.wait_sidecars:
            last = LastWait(
                self._watch,
                self._ours.name,
                self._ties.reactor,
                lambda: self._sidecars.granted,
                self._say,
            )

            def look(_: Snapshot, event: Event) -> None:
                if isinstance(event, SignalReceived) and event.signal in _ENDING:
                    last.hurry()

            self._ties.board.watch(look)
            self._ties.shutdown().do_after(last.wait)

    def _make_api(self) -> Deferred[Any]:
        asides = Asides(self._ties.reactor)

        def wire(_: str) -> Any:
            from procwrap.podwiring import wired

            return wired(self._pod, self._ties.reactor, asides)

        return asides.ask(wire, self._pod.host)

    def _look_for_completed(self, sight: Sight) -> None:
        if sight.pod is None:
            return
        container = completed(sight.pod, self._ours.name(sight.pod))
        if container is not None:
            self._forget()
            self._end(f"the container {container.name} has completed", ExitStatus.DONE)

    def _give_up(self, reason: str) -> None:
        if not self._given_up and not self._ties.shutdown().begun:
            self._given_up = True
            self._say(Level.ERROR, reason)
            self._end(reason, ExitStatus.CANNOT_START)

    def _end(self, reason: str, code: int) -> None:
        # Not now: whoever asks for permission would hear of the end in the middle of the question.
        self._ties.reactor.callLater(0, lambda: self._ties.shutdown().begin(reason, code))

    def _say(self, level: Level, text: str) -> None:
        self._ties.board.tell(Notice(level, text))
