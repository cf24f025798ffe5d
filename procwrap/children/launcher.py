"""From what was asked of a process to a process that was executed, with our ends of its pipes.

Nothing here needs Twisted, so that the first processes can be started before it is imported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from attrs import define, evolve, field, frozen

from procwrap.children import terminal
from procwrap.children.attributes import Step
from procwrap.children.launch import INHERIT, Command, launch, pipe
from procwrap.children.listening import OF_THE_PROTOCOL, Listening, NotifySockets
from procwrap.errors import SpawnError
from procwrap.spec.probe import Pairs
from procwrap.spec.process import ProcessSpec


@frozen
class Launched:
    """A process that was just executed.

    Attributes:
        pipes: for each of its descriptors our reading end; somebody has to close it.
        environment: what it got.
        at: monotonic seconds.
        listening: where it says how it is, if a notify probe asks for it; somebody has to close it.
    """

    pid: int
    pipes: Mapping[int, int]
    environment: Mapping[str, str] = field(repr=False)
    at: float
    listening: Listening | None = None


@define(eq=False)
class Launcher:
    """Executes processes, and commands on their behalf.

    Args:
        environment: what every child inherits.
        read_env_file: reads an env file now; raises SpawnError naming the file and the bad line.
        now: monotonic seconds.
    """

    _environment: Mapping[str, str] = field(repr=False)
    _read_env_file: Callable[[str], Pairs]
    _now: Callable[[], float]
    _null: int = field(factory=lambda: os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))
    _sockets: NotifySockets = field(factory=NotifySockets)
    _last_steps: dict[str, Step] = field(factory=dict)

    def do_last(self, name: str, step: Step) -> None:
        """Have each run of a process do something itself, right before it becomes the command.

        Args:
            name: of the process.
            step: how it is called when it fails, and what to do; nothing but system calls.
        """
        self._last_steps[name] = step

    def forget(self, name: str) -> None:
        """Have the runs of a process do nothing of that kind."""
        self._last_steps.pop(name, None)

    def launch(self, spec: ProcessSpec, given: Pairs = ()) -> Launched:
        """Execute the process.

        Args:
            spec: what was asked.
            given: variables that win over its own.

        Raises:
            SpawnError: it cannot be executed as asked.
        """
        listening = self._sockets.open(spec)
        if listening is None:
            return self._launch(spec, Listening(), given)
        try:
            return evolve(self._launch(spec, listening, given), listening=listening)
        except BaseException:
            listening.close()
            raise
        finally:
            listening.executed()

    def _launch(self, spec: ProcessSpec, listening: Listening, given: Pairs) -> Launched:
        at = self._now()
        environment = {**self._environment_of(spec), **listening.environment, **dict(given)}
        command = Command(
            spec.entrypoint,
            spec.args,
            environment,
            spec.directory,
            spec.attributes,
            foreground=spec.wrapped and terminal.is_ours(),
            descriptor=None if listening.number is None else (listening.number, listening.writing),
            last_step=self._last_steps.get(spec.name),
        )
        if spec.wrapped:
            return Launched(launch(command, INHERIT, INHERIT, INHERIT), {}, environment, at)
        return Launched(*self._with_pipes(command, (1, 2)), environment, at)

    def launch_command(
        self,
        spec: ProcessSpec,
        entrypoint: str,
        args: Iterable[str],
        environment: Mapping[str, str],
        *,
        apart: bool = False,
    ) -> Launched:
        """Execute a command as the process's user, in its directory.

        Its outputs share one pipe, unless they are to be kept apart.

        Raises:
            SpawnError: it cannot be executed.
        """
        command = Command(entrypoint, tuple(args), environment, spec.directory, spec.attributes)
        numbers = (1, 2) if apart else (1,)
        return Launched(*self._with_pipes(command, numbers), environment, self._now())

    def close(self) -> None:
        """Leave nothing in the file system."""
        self._sockets.close()

    def _environment_of(self, spec: ProcessSpec) -> dict[str, str]:
        inherited = self._environment
        if not spec.wrapped:
            # They are for procwrap: a child that answered there would speak for all of them.
            inherited = {name: value for name, value in inherited.items() if name not in OF_THE_PROTOCOL}
        environment = {**inherited, **dict(spec.envs)}
        if spec.env_file is not None:
            environment.update(self._read_env_file(spec.env_file))
        return environment

    def _with_pipes(self, command: Command, numbers: tuple[int, ...]) -> tuple[int, dict[int, int]]:
        ours: dict[int, int] = {}
        theirs: list[int] = []
        try:
            for number in numbers:
                ours[number], writing = pipe()
                theirs.append(writing)
            pid = launch(command, self._null, theirs[0], theirs[-1])
        except BaseException:
            for fd in ours.values():
                os.close(fd)
            raise
        finally:
            for fd in theirs:
                os.close(fd)
        return pid, ours


@define(eq=False)
class HeadStart:
    """The processes that were started before the reactor was imported, until they are taken over.

    Importing the reactor takes longer than everything else together before the first process runs; a
    process that needs no other does not wait for it. What it prints meanwhile waits in its pipe, its end
    waits as a zombie.
    """

    _launcher: Launcher
    _now: Callable[[], float]
    _begun: dict[str, Launched | SpawnError] = field(factory=dict)

    def begin(self, processes: Iterable[ProcessSpec], seconds: float) -> None:
        """Start those that need nothing else, for at most so many seconds."""
        until = self._now() + seconds
        for spec in processes:
            if self._now() >= until:
                return
            if not (spec.depends_on or spec.needs_permit):
                self._begin_one(spec)

    def _begin_one(self, spec: ProcessSpec) -> None:
        try:
            self._begun[spec.name] = self._launcher.launch(spec)
        except SpawnError as error:
            # Told when its turn comes: the log is not there yet.
            self._begun[spec.name] = error

    def has(self, name: str) -> bool:
        """Return whether a process is still to be taken over."""
        return name in self._begun

    def take(self, name: str) -> Launched | None:
        """Hand a process over, once; None when it was not started.

        Raises:
            SpawnError: it could not be executed.
        """
        begun = self._begun.pop(name, None)
        if isinstance(begun, SpawnError):
            raise begun
        return begun

    def abandon(self, kill: Callable[[int], object]) -> None:
        """Give up all that nobody took over, when the host cannot be built after all."""
        for begun in self._begun.values():
            if isinstance(begun, Launched):
                kill(begun.pid)
        self._begun.clear()
