"""Gives a process that was executed its place in the reactor: streams, back-pressure, reaper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field, frozen
from twisted.internet.protocol import ProcessProtocol

from procwrap.children.launcher import HeadStart, Launched, Launcher
from procwrap.children.output import PipeReader, Stream
from procwrap.children.protocol import ChildProtocol
from procwrap.children.reaper import Reaper
from procwrap.children.running import Hold, Running
from procwrap.children.turns import Turns
from procwrap.core.events import End
from procwrap.spec.process import ProcessSpec

OpenStreams = Callable[[ProcessSpec, int], Mapping[int, Stream]]
"""Spec and pid -> where the bytes of descriptors 1 and 2 go."""


@frozen
class Started:
    """A process that runs.

    Attributes:
        environment: what it got.
        at: monotonic seconds of its execution.
    """

    running: Running
    environment: Mapping[str, str]
    at: float


@define(eq=False)
class Executor:
    """Starts processes, and commands on their behalf.

    Args:
        reactor: IReactorFDSet and IReactorTime.
        head_start: the processes that run already.
        open_streams: where the output of a process goes.
        hold: puts its pipes under back-pressure.
    """

    _reactor: Any
    _reaper: Reaper
    _launcher: Launcher
    _head_start: HeadStart
    _open_streams: OpenStreams
    _hold: Hold
    _turns: Turns = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Let all pipes share the reactor's time."""
        self._turns = Turns(self._reactor)

    def start(self, spec: ProcessSpec, exited: Callable[[End], None], drained: Callable[[], None]) -> Started:
        """Start the process, or take it over if it was started before there was a reactor.

        Args:
            spec: what was asked.
            exited: called when it has ended.
            drained: called when moreover everything it wrote was read.

        Raises:
            SpawnError: it cannot be executed as asked.
        """
        launched = self._head_start.take(spec.name) or self._launcher.launch(spec)
        streams = {} if spec.wrapped else self._open_streams(spec, launched.pid)
        running = self._run(launched, ChildProtocol(streams, exited, drained), self._hold)
        return Started(running, launched.environment, launched.at)

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
        launched = self._launcher.launch_command(spec, entrypoint, args, environment)
        return self._run(launched, protocol, _not_held)

    def _run(self, launched: Launched, protocol: ProcessProtocol, hold: Hold) -> Running:
        running = Running(self._reactor, protocol, launched.pid, launched.pipes, hold, self._turns)
        self._reaper.expect(launched.pid, running.ended)
        return running


def _not_held(reader: PipeReader) -> Callable[[], None]:
    """Leave a pipe alone whose bytes do not go to stdout."""
    return lambda: None
