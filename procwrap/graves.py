"""Part of the composition root: tombstones, imported only where a process has one or looks at others'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from attrs import define, field
from twisted.internet.defer import Deferred

from procwrap.coordinating import Ties
from procwrap.core.ending import code_of_all
from procwrap.core.events import Ended, Event, Level, Notice
from procwrap.core.lifecycle import FINAL, Input, State
from procwrap.core.snapshot import Snapshot
from procwrap.pod import graveyard
from procwrap.pod.mason import Mason
from procwrap.pod.mourning import Mourning
from procwrap.pod.tombstone import Tombstone
from procwrap.probes.aside import Asides
from procwrap.spec.process import ProcessSpec


@define(eq=False)
class Graves:
    """Every tombstone that is ours, and every one that matters to us."""

    _ties: Ties
    _asides: Asides = field(init=False)
    _bereft: set[str] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        """Have somebody to do what blocks."""
        self._asides = Asides(self._ties.reactor)

    def begin(self) -> None:
        """Write and watch from now on."""
        mourned: dict[str, list[ProcessSpec]] = {}
        for spec in self._ties.plan.processes:
            if spec.graves is None:
                continue
            if spec.graves.name:
                self._keep(spec, spec.graves.graveyard, spec.graves.name)
            if spec.graves.death_deps:
                mourned.setdefault(spec.graves.graveyard, []).append(spec)
        for directory, specs in mourned.items():
            self._mourn(directory, specs)

    def _keep(self, spec: ProcessSpec, directory: str, name: str) -> None:
        ties = self._ties

        def carve(stone: Tombstone) -> Deferred[None]:
            def work(_: str) -> None:
                graveyard.prepare(directory)
                graveyard.carve(directory, name, stone)

            return self._asides.ask(work, directory)

        mason = Mason(spec.name, carve, ties.reactor, ties.wall, partial(self._warn, spec.name))
        ties.board.watch(mason.watch)
        ties.shutdown().do_after(mason.finish)

    def _mourn(self, directory: str, specs: Iterable[ProcessSpec]) -> None:
        bereaved: dict[str, list[ProcessSpec]] = {}
        for spec in specs:
            for name in spec.graves.death_deps if spec.graves is not None else ():
                bereaved.setdefault(name, []).append(spec)
        visit = partial(self._asides.ask, _visitor(tuple(bereaved)), directory)

        def on_death(name: str, stone: Tombstone) -> None:
            for spec in bereaved[name]:
                self._follow(spec, name, stone)

        Mourning(directory, visit, self._ties.reactor, on_death, partial(self._warn, "")).begin()

    def _follow(self, spec: ProcessSpec, dead: str, stone: Tombstone) -> None:
        code = "" if stone.exit_code is None else f" with exit code {stone.exit_code}"
        reason = f"{dead} has died{code}, which {spec.name} depends on"
        child, shutdown = self._ties.fleet().children[spec.name], self._ties.shutdown()
        if child.state in FINAL or shutdown.begun:
            return
        self._ties.board.tell(Notice(Level.INFO, f"{reason}: stopping it", spec.name))
        if spec.restart.main or spec.restart.vital:
            # Its end is that of everything, and its exit code that of all.
            self._ties.board.watch(partial(self._take_code, spec.name))
            shutdown.begin(reason, 0)
            return
        if not self._bereft:
            self._ties.board.watch(self._look_whether_all_ended)
        self._bereft.add(spec.name)
        child.happen(Input.STOP, reason)

    def _take_code(self, name: str, _: Snapshot, event: Event) -> None:
        if isinstance(event, Ended) and event.name == name:
            self._ties.shutdown().code = event.end.exit_code

    def _look_whether_all_ended(self, snapshot: Snapshot, event: Event) -> None:
        """End the whole when nothing is left but what those who died took with them."""
        for view in snapshot.processes.values():
            if view.state not in FINAL or (view.state is State.STOPPED and view.name not in self._bereft):
                return
        shutdown = self._ties.shutdown()
        if not shutdown.begun:
            code = code_of_all(snapshot, self._ties.plan.processes)
            self._ties.reactor.callLater(0, shutdown.begin, "no process is left", code)

    def _warn(self, about: str, text: str) -> None:
        self._ties.board.tell(Notice(Level.WARNING, text, about))


def _visitor(names: tuple[str, ...]) -> Callable[[str], tuple[float, Mapping[str, Tombstone]]]:
    def visit(directory: str) -> tuple[float, Mapping[str, Tombstone]]:
        graveyard.prepare(directory)
        return graveyard.pod_started(), graveyard.visit(directory, names)

    return visit
