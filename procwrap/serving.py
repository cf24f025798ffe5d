"""Part of the composition root: the HTTP side, listening from the start and answering when it is imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThreadPool

from procwrap.config import units
from procwrap.core.board import Board
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.tallies import Tallies
from procwrap.optional import EventCounts, no_counts
from procwrap.outputs import Outputs
from procwrap.spec.plan import Plan, Settings
from procwrap.tls import has_http_probe


@define(eq=False)
class Serving:
    """Everything that takes long to import: HTTP itself and the client of http probes.

    Args:
        listener: the socket, where it could be opened before Twisted was imported.
        wall: seconds since the epoch.

    Attributes:
        event_counts: how many events were sent, for /metrics.
    """

    _plan: Plan
    _settings: Settings
    _reactor: Any
    _listener: Any
    _board: Board
    _heartbeats: Heartbeats
    _outputs: Outputs
    _wall: Callable[[], float]
    _bound: Any = None
    _tallies: Tallies = field(factory=Tallies)
    event_counts: EventCounts = no_counts

    def listen(self) -> None:
        """Take the socket, before anything is started.

        Raises:
            UsageError: HEALTH_SOCKET is no address.
            CannotStartError: the address cannot be had.
        """
        if self._settings.socket is not None:
            from procwrap.web.listening import bind

            self._bound = bind(self._settings.socket, self._reactor, self._listener)
            self._board.watch(self._tallies.note)

    def begin(self) -> Deferred[None]:
        """Import what is needed and answer; the processes are running by now.

        In a thread: Klein alone takes 100 ms, in which output would not be read and signals not answered.
        """
        imported = deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._import)
        return imported.addCallback(lambda _: self._answer())

    def stop(self) -> Deferred[None]:
        """End all connections."""
        return succeed(None) if self._bound is None else self._bound.stop()

    def _import(self) -> None:
        if self._bound is not None:
            import procwrap.measuring
            import procwrap.web.site

            if self._has_targets:
                import procwrap.scraping
        if has_http_probe(self._plan):
            import procwrap.probes.http  # noqa: F401

    def _answer(self) -> None:
        if self._bound is None:
            return
        from procwrap.web.site import HostView, make_site

        liveness = self._settings.liveness
        view = HostView(self._board, self._heartbeats, liveness, self._reactor, self._wall, units.duration)
        measuring = self._measuring()
        if self._has_targets:
            from procwrap.scraping import make_merging
            from procwrap.web.mergelog import MergeLog

            log = MergeLog(self._board.tell, self._settings.prommerge.suppress_errors)
            merge = make_merging(self._plan, self._settings, self._board, self._reactor, log)
            view = evolve(view, prommerge=measuring.watched(merge, log))
        view = evolve(view, metrics=measuring.begin())
        self._bound.serve(make_site(view))

    def _measuring(self) -> Any:
        from procwrap.measuring import Measuring

        return Measuring(
            self._plan,
            self._board,
            self._heartbeats,
            self._outputs,
            self._tallies,
            self._reactor,
            self._wall(),
            self.event_counts,
        )

    @property
    def _has_targets(self) -> bool:
        return any(process.prom_target is not None for process in self._plan.processes)
