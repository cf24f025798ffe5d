"""Turns what was asked of a process into a process that runs: environment, pipes, streams, reaper."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.protocol import ProcessProtocol

from procwrap.children.launch import INHERIT, Command, launch, pipe
from procwrap.children.output import PipeReader, Stream
from procwrap.children.protocol import ChildProtocol
from procwrap.children.reaper import Reaper
from procwrap.children.running import Hold, Running
from procwrap.core.events import End
from procwrap.spec.probe import Pairs
from procwrap.spec.process import ProcessSpec

OpenStreams = Callable[[ProcessSpec, int], Mapping[int, Stream]]
"""Spec and pid -> where the bytes of descriptors 1 and 2 go."""


@define(eq=False)
class Executor:
    """Starts processes, and commands on their behalf.

    Args:
        reactor: IReactorFDSet and IReactorTime.
        environment: what every child inherits.
        read_env_file: reads an env file now; raises SpawnError naming the file and the bad line.
        open_streams: where the output of a process goes.
        hold: puts its pipes under back-pressure.
    """

    _reactor: Any
    _reaper: Reaper
    _environment: Mapping[str, str] = field(repr=False)
    _read_env_file: Callable[[str], Pairs]
    _open_streams: OpenStreams
    _hold: Hold
    _null: int = field(factory=lambda: os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))

    def environment_of(self, spec: ProcessSpec) -> dict[str, str]:
        """Return its environment if it were started now.

        Raises:
            SpawnError: its env file cannot be read.
        """
        environment = {**self._environment, **dict(spec.envs)}
        if spec.env_file is not None:
            environment.update(self._read_env_file(spec.env_file))
        return environment

    def start(
        self, spec: ProcessSpec, exited: Callable[[End], None], drained: Callable[[], None]
    ) -> tuple[Running, Mapping[str, str]]:
        """Start the process.

        Args:
            spec: what was asked.
            exited: called when it has ended.
            drained: called when moreover everything it wrote was read.

        Returns:
            The process and the environment it got.

        Raises:
            SpawnError: it cannot be executed as asked.
        """
        environment = self.environment_of(spec)
        command = Command(
            spec.entrypoint,
            spec.args,
            environment,
            spec.directory,
            spec.attributes,
            foreground=spec.wrapped and os.isatty(0),
        )
        if spec.wrapped:
            pid = launch(command, INHERIT, INHERIT, INHERIT)
            return self._run(pid, ChildProtocol({}, exited, drained), {}, self._hold), environment
        pid, pipes = self._launch_with_pipes(command, (1, 2))
        streams = self._open_streams(spec, pid)
        return self._run(pid, ChildProtocol(streams, exited, drained), pipes, self._hold), environment

    def start_command(
        self,
        spec: ProcessSpec,
        entrypoint: str,
        args: Iterable[str],
        environment: Mapping[str, str],
        protocol: ProcessProtocol,
    ) -> Running:
        """Start a command as the process's user, in its directory, both outputs in one pipe.

        Raises:
            SpawnError: it cannot be executed.
        """
        command = Command(entrypoint, tuple(args), environment, spec.directory, spec.attributes)
        pid, pipes = self._launch_with_pipes(command, (1,))
        return self._run(pid, protocol, pipes, _not_held)

    def _launch_with_pipes(self, command: Command, numbers: tuple[int, ...]) -> tuple[int, dict[int, int]]:
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

    def _run(self, pid: int, protocol: ProcessProtocol, pipes: Mapping[int, int], hold: Hold) -> Running:
        running = Running(self._reactor, protocol, pid, pipes, hold)
        self._reaper.expect(pid, running.ended)
        return running


def _not_held(reader: PipeReader) -> Callable[[], None]:
    """Leave a pipe alone whose bytes do not go to stdout."""
    return lambda: None
