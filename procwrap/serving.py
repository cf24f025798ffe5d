"""Part of the composition root: the HTTP side, listening from the start and answering when it is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.threads import deferToThreadPool

from procwrap.config import units, variables
from procwrap.core.board import Board
from procwrap.core.heartbeats import Heartbeats
from procwrap.core.roster import Derived, Roster
from procwrap.core.tallies import Tallies
from procwrap.interfaces import IFleet
from procwrap.optional import EventCounts, no_counts
from procwrap.outputs import Outputs
from procwrap.remembering import Remembering
from procwrap.spec.plan import Plan, Settings
from procwrap.tls import has_http_probe

if TYPE_CHECKING:
    from procwrap.admission import ControlDoor
    from procwrap.web.controlsocket import ControlSocket

FAREWELL = 0.1
"""Seconds in which connections have to end when procwrap does."""


@define(eq=False)
class Serving:
    """Everything that takes long to import: HTTP itself and the client of http probes.

    Args:
        listener: the socket, where it could be opened before Twisted was imported.
        control: the control socket, likewise.
        wall: seconds since the epoch.

    Attributes:
        event_counts: how many events were sent, for /metrics.
        fleet: an operator's way to the processes; there before anything is answered.
    """

    _plan: Plan
    _settings: Settings
    _reactor: Any
    _listener: Any
    _board: Board
    _heartbeats: Heartbeats
    _outputs: Outputs
    _wall: Callable[[], float]
    _roster: Roster
    _control: ControlSocket | None = None
    _bound: Any = None
    _door: ControlDoor | None = None
    _tallies: Tallies = field(factory=Tallies)
    _past: Remembering = field(init=False)
    _sites: list[Any] = field(init=False, factory=list)
    _measured: Any = None
    event_counts: EventCounts = no_counts
    fleet: IFleet = field(init=False)

    def listen(self) -> None:
        """Take the sockets, before anything is started.

        Raises:
            UsageError: HEALTH_SOCKET is no address.
            CannotStartError: the address cannot be had, nor the control socket that was asked for.
        """
        settings = self._settings
        if settings.socket is not None:
            from procwrap.web.listening import bind

            self._bound = bind(settings.socket, self._reactor, self._listener, settings.control.tls)
        if settings.control.socket is not None:
            from procwrap.admission import ControlDoor

            self._door = ControlDoor(settings.control, self._board, self._reactor, self._control)
            self._door.listen()
        if self.listens:
            self._board.watch(self._tallies.note)
            self._past = Remembering(self._board, self._reactor, self._wall)

    @property
    def listens(self) -> bool:
        """Whether there is anything that clients can connect to."""
        return self._bound is not None or (self._door is not None and self._door.is_open)

    def begin(self) -> Deferred[None]:
        """Import what is needed and answer; the processes are running by now.

        In a thread: Klein alone takes 100 ms, in which output would not be read and signals not answered.
        """
        imported = deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._import)
        return imported.addCallback(lambda _: self._answer())

    def stop(self) -> Deferred[None]:
        """End all connections."""
        doors = [door for door in (self._bound, self._door) if door is not None]
        return DeferredList([door.stop() for door in doors]).addCallback(lambda _: self._say_farewell())

    def _say_farewell(self) -> Deferred[None]:
        # What was written last is on its way to those who read; nobody else is waited for.
        drained = DeferredList([site.drained() for site in self._sites], consumeErrors=True)
        drained.addTimeout(FAREWELL, self._reactor, lambda *_: None)
        return drained.addCallback(lambda _: None)

    def _import(self) -> None:
        if self.listens:
            import procwrap.measuring
            import procwrap.web.site  # noqa: F401
        self.prepare(self._plan)

    def prepare(self, plan: Plan) -> None:
        """Import what the processes of a plan need; blocks, so it belongs into a thread."""
        if self.listens and any(spec.prom_target is not None for spec in plan.processes):
            import procwrap.scraping
        if has_http_probe(plan):
            import procwrap.probes.http  # noqa: F401

    def go_by(self, plan: Plan) -> None:
        """Show this plan from now on; everything is prepared, and the roster has its processes."""
        self._plan = plan
        if self._measured is not None:
            self._measured.begin_merging(self._settings.prommerge)

    def _answer(self) -> None:
        if self._door is not None:
            self._door.tell()
        if not self.listens:
            return
        from procwrap.admission import make_admits
        from procwrap.core.commandline import shown_command
        from procwrap.inside import Stats
        from procwrap.web.configured import Inside
        from procwrap.web.site import HostView, make_control_site, make_site

        liveness = self._settings.liveness
        view = HostView(self._board, self._heartbeats, liveness, self._reactor, self._wall, units.duration)
        # To find the secrets in them takes its time: once for all who show them.
        commands = Derived(self._roster, shown_command)
        self._measured = measuring = self._measuring(commands)
        measuring.begin_merging(self._settings.prommerge)
        view = evolve(view, prommerge=measuring.merge, metrics=measuring.begin(), fleet=self.fleet)
        view = evolve(view, insight=self._insight(commands))
        stats = Stats(self._reactor, self._outputs, measuring.delay, self.event_counts, view.insight.began)
        view = evolve(
            view,
            admits=make_admits(self._settings.control, self._board, self._reactor),
            inside=Inside(lambda: self._plan, self._settings, variables.environ(), stats.take),
        )
        if self._bound is not None:
            self._sites.append(stats.count("http", make_site(view)))
            self._bound.serve(self._sites[-1])
        if self._door is not None:
            self._sites.append(stats.count("control", make_control_site(view)))
            self._door.serve(self._sites[-1])

    def _insight(self, commands: Mapping[str, str]) -> Any:
        return self._past.insight(self._roster.get, commands.get, self._outputs.streams.recent.get)

    def _measuring(self, commands: Mapping[str, str]) -> Any:
        from procwrap.measuring import Measuring

        return Measuring(
            self._roster,
            commands,
            self._board,
            self._heartbeats,
            self._outputs,
            self._tallies,
            self._reactor,
            self._wall(),
            self.event_counts,
        )
