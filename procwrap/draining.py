"""Part of the composition root: preemption, Envoy, and the end of sidecars; imported only where asked for."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Generator
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred, inlineCallbacks

from procwrap.coordinating import Ties
from procwrap.core.events import Event, Hurried, Level, Notice, ShutdownBegan
from procwrap.core.preempted import Preempted, PreemptionRevoked
from procwrap.core.snapshot import Snapshot
from procwrap.envoywait import EnvoyWait
from procwrap.errors import ExitStatus
from procwrap.pod.ask import TIMEOUT, Ask, LateAsk, Request
from procwrap.pod.envoy import DRAIN_TIMEOUT, LOOK_TIMEOUT, Drain
from procwrap.pod.preemption import Herald, PreemptionWatch
from procwrap.pod.quitting import Quitter
from procwrap.pod.strangers import Line, Strangers
from procwrap.probes.aside import Asides
from procwrap.probes.secrets import shown_url
from procwrap.spec.preemption import Cloud, Preemption

KILL_TIMEOUT = 5.0
"""Seconds for finding the processes of other containers, and signalling them."""


@define(eq=False)
class Draining:
    """Everything that is about the end of the machine, of Envoy, and of the other containers.

    Attributes:
        permit: what every process waits for; None when that is nothing.
    """

    _ties: Ties
    permit: EnvoyWait | None = field(init=False, default=None)
    _asides: Asides = field(init=False)
    _ask: Ask = field(init=False)
    _drain: Drain | None = field(init=False, default=None)
    _ending: bool = field(init=False, default=False)
    _hurried: bool = field(init=False, default=False)

    def begin(self) -> None:
        """Watch the machine, wait for Envoy, and know what to do at the end."""
        self._asides = Asides(self._ties.reactor)
        self._ask = late = LateAsk(lambda: self._asides.ask(self._wired, ""), self._ties.reactor)
        settings = self._ties.settings
        if settings.envoy.drain is not None:
            self._drain = Drain(_request("POST", settings.envoy.drain, DRAIN_TIMEOUT), self._ask, self._say)
            self._ties.shutdown().do_before(self._drain.wait)
        self._ties.board.watch(self._look)
        if settings.envoy.wait is not None:
            self.permit = self._wait_for_envoy(settings.envoy.wait)
        if settings.preemption is not None:
            herald = _herald(settings.preemption, self._ask, self._ties.reactor)
            PreemptionWatch(herald, self._ties.reactor, random.random, self._told_of_machine).begin()
        late.prepare()

    def _wired(self, _: str) -> Ask:
        from procwrap.askwiring import wired

        return wired(self._ties.reactor, self._asides)

    def _say(self, level: Level, text: str) -> None:
        self._ties.board.tell(Notice(level, text))

    def _look(self, snapshot: Snapshot, event: Event) -> None:
        match event:
            case Hurried():
                self._hurried = True
            case Preempted() if self._drain is not None:
                self._drain.begin()
            case ShutdownBegan() if self._drain is not None and not self._ending:
                self._ending = True
                # After SIGINT everything is killed at once, and nobody drains.
                if event.signal != signal.SIGINT:
                    self._drain.begin()

    def _told_of_machine(self, event: Event) -> None:
        if isinstance(event, PreemptionRevoked) and self._drain is not None and self._drain.drained:
            # Who is ready gets traffic, which nobody would take.
            text = "the preemption was taken back, but Envoy has drained its listeners: not ready any more"
            self._say(Level.WARNING, text)
            return
        self._ties.board.tell(event)

    def _wait_for_envoy(self, admin: str) -> EnvoyWait:
        def end(reason: str) -> None:
            self._ties.shutdown().begin(reason, ExitStatus.CANNOT_START)

        waiting = EnvoyWait(
            self._ties.settings.envoy,
            _request("GET", f"{admin}/server_info", LOOK_TIMEOUT),
            self._ask,
            self._ties.reactor,
            self._say,
            end,
        )
        waiting.begin()
        return waiting

    @inlineCallbacks
    def end_others(self) -> Generator[Deferred[Any], Any, None]:
        """End sidecars, when all our processes are gone: ask them, signal them, and Envoy last.

        What the others still have to say may have to go through it.
        """
        quitter, quitting = Quitter(self._ask, self._say), self._ties.settings.quitting
        yield quitter.send([_request(asked.method, asked.url) for asked in quitting.requests])
        if quitting.kill or quitting.kill_all:
            yield self._end_strangers()
        envoy, failed = self._ties.settings.envoy, bool(self._ties.shutdown().code)
        if envoy.quit is not None and (envoy.quit_on_failure or not failed) and not self._hurried:
            yield quitter.send([_request("POST", f"{envoy.quit}/quitquitquit")])

    @inlineCallbacks
    def _end_strangers(self) -> Generator[Deferred[Any], Any, None]:
        quitting = self._ties.settings.quitting

        def work(_: str) -> list[Line]:
            strangers = Strangers(os.getpid())
            return strangers.end_all() if quitting.kill_all else strangers.end_named(quitting.kill)

        signalled = self._asides.ask(work, "").addTimeout(KILL_TIMEOUT, self._ties.reactor)
        try:
            for level, text in (yield signalled):
                self._say(level, text)
        except Exception as error:
            self._say(Level.WARNING, f"cannot end the processes of others: {type(error).__name__}: {error}")


def _request(method: str, url: str, timeout: float = TIMEOUT) -> Request:
    return Request(method, url, shown_url(url), timeout=timeout)


def _herald(asked: Preemption, ask: Ask, reactor: Any) -> Herald:
    shown = shown_url(asked.url)
    if asked.cloud is Cloud.AWS:
        from procwrap.pod.aws import Aws

        return Aws(asked.url, shown, ask, reactor)
    if asked.cloud is Cloud.AZURE:
        from procwrap.pod.azure import Azure

        return Azure(asked.url, shown, ask)
    from procwrap.pod.google import Google

    return Google(asked.url, shown, ask)
