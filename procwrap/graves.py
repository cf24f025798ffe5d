"""Part of the composition root: tombstones, imported only where a process has one or looks at others'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList

from procwrap.coordinating import Ties
from procwrap.core.ending import code_of_all
from procwrap.core.events import Ended, Event, Level, Notice, Spawned
from procwrap.core.lifecycle import FINAL, Input, State
from procwrap.core.snapshot import Snapshot
from procwrap.pod import graveyard
from procwrap.pod.mason import Mason
from procwrap.pod.mourning import Mourning
from procwrap.pod.tombstone import Tombstone
from procwrap.probes.aside import Asides
from procwrap.spec.graves import Graves as Asked
from procwrap.spec.process import ProcessSpec


@define(eq=False)
class Graves:
    """Every tombstone that is ours, and every one that matters to us."""

    _ties: Ties
    _asides: Asides = field(init=False)
    _bereft: set[str] = field(factory=set)
    _asked: dict[str, Asked] = field(factory=dict)
    _masons: dict[str, tuple[Mason, Callable[[], None]]] = field(factory=dict)
    _mourners: dict[str, Mourning] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Have somebody to do what blocks, and finish what is being written at the end."""
        self._asides = Asides(self._ties.reactor)
        self._ties.shutdown().do_after(self._finish)
        self._ties.board.watch(self._look_whether_all_ended)

    def begin_with(self, specs: Iterable[ProcessSpec]) -> None:
        """Write and watch for these processes from now on."""
        mourned: dict[str, list[ProcessSpec]] = {}
        for spec in specs:
            asked = spec.graves
            if asked is None:
                continue
            self._asked[spec.name] = asked
            if asked.name:
                self._keep(spec, asked.graveyard, asked.name)
            if asked.death_deps:
                mourned.setdefault(asked.graveyard, []).append(spec)
        for directory, those in mourned.items():
            self._mourn(directory, those)

    def admit(self, spec: ProcessSpec) -> None:
        """Do for a process what it asks for now."""
        if self._asked.get(spec.name) != spec.graves:
            self.forget(spec.name)
            self.begin_with([spec])

    def forget(self, name: str) -> None:
        """Write and watch no more for this process."""
        self._asked.pop(name, None)
        self._bereft.discard(name)
        _, unwatch = self._masons.pop(name, (None, None))
        if unwatch is not None:
            unwatch()
        mourning = self._mourners.pop(name, None)
        if mourning is not None and mourning not in self._mourners.values():
            mourning.stop()

    def _finish(self) -> Deferred[None]:
        finished = DeferredList([mason.finish() for mason, _ in self._masons.values()])
        return finished.addCallback(lambda _: None)

    def _keep(self, spec: ProcessSpec, directory: str, name: str) -> None:
        ties = self._ties

        def carve(stone: Tombstone) -> Deferred[None]:
            def work(_: str) -> None:
                graveyard.prepare(directory)
                graveyard.carve(directory, name, stone)

            return self._asides.ask(work, directory)

        mason = Mason(spec.name, carve, ties.reactor, ties.wall, partial(self._warn, spec.name))
        self._masons[spec.name] = mason, ties.board.watch(mason.watch)

    def _mourn(self, directory: str, specs: Iterable[ProcessSpec]) -> None:
        bereaved: dict[str, list[ProcessSpec]] = {}
        for spec in specs:
            for name in spec.graves.death_deps if spec.graves is not None else ():
                bereaved.setdefault(name, []).append(spec)
        visit = partial(self._asides.ask, _visitor(tuple(bereaved)), directory)

        def on_death(name: str, stone: Tombstone) -> None:
            for spec in bereaved[name]:
                # Else it asks for something else by now, or is no more.
                if self._mourners.get(spec.name) is mourning:
                    self._follow(self._ties.roster[spec.name], name, stone)

        mourning = Mourning(directory, visit, self._ties.reactor, on_death, partial(self._warn, ""))
        for names in bereaved.values():
            self._mourners |= {spec.name: mourning for spec in names}
        mourning.begin()

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
        self._bereft.add(spec.name)
        child.happen(Input.STOP, reason)

    def _take_code(self, name: str, _: Snapshot, event: Event) -> None:
        if isinstance(event, Ended) and event.name == name:
            self._ties.shutdown().code = event.end.exit_code

    def _look_whether_all_ended(self, snapshot: Snapshot, event: Event) -> None:
        """End the whole when nothing is left but what those who died took with them."""
        if isinstance(event, Spawned):
            # Somebody has started it again: its next end is one of its own.
            self._bereft.discard(event.name)
        if not self._bereft:
            return
        for name in self._ties.roster:
            view = snapshot.processes.get(name)
            # A reload may be about to begin it.
            if view is None or view.state not in FINAL:
                return
            if view.state is State.STOPPED and name not in self._bereft:
                return
        shutdown = self._ties.shutdown()
        if not shutdown.begun:
            code = code_of_all(snapshot, self._ties.roster.specs)
            self._ties.reactor.callLater(0, shutdown.begin, "no process is left", code)

    def _warn(self, about: str, text: str) -> None:
        self._ties.board.tell(Notice(Level.WARNING, text, about))


def _visitor(names: tuple[str, ...]) -> Callable[[str], tuple[float, Mapping[str, Tombstone]]]:
    def visit(directory: str) -> tuple[float, Mapping[str, Tombstone]]:
        graveyard.prepare(directory)
        return graveyard.pod_started(), graveyard.visit(directory, names)

    return visit
