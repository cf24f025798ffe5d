"""Gives a process that was executed its place in the reactor: streams, back-pressure, reaper."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from attrs import Factory, define, field, frozen
from twisted.internet.protocol import ProcessProtocol

from procwrap.children.launcher import HeadStart, Launched, Launcher
from procwrap.children.notifications import Notifications
from procwrap.children.output import PipeReader, Stream
from procwrap.children.protocol import ChildProtocol
from procwrap.children.reaper import Reaper
from procwrap.children.running import Hold, Running
from procwrap.children.turns import Turns
from procwrap.core.events import End
from procwrap.spec.probe import Pairs
from procwrap.spec.process import ProcessSpec

Streams = Mapping[int, Stream]


class OpenStreams(Protocol):
    """Opens what takes the bytes of descriptors 1 and 2."""

    def __call__(self, spec: ProcessSpec, pid: int, hook: str = "", /) -> Streams:
        """Open them for a run of a process, or of a hook of it."""


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
        notifications: hear what they say of themselves.
    """

    _reactor: Any
    _reaper: Reaper
    _launcher: Launcher
    _head_start: HeadStart
    _open_streams: OpenStreams
    _hold: Hold
    notifications: Notifications = field(
        default=Factory(lambda self: Notifications(self._reactor, lambda event: None), takes_self=True)
    )
    _turns: Turns = field(init=False)

    def __attrs_post_init__(self) -> None:
        """Let all pipes share the reactor's time."""
        self._turns = Turns(self._reactor)

    def start(
        self,
        spec: ProcessSpec,
        exited: Callable[[End], None],
        drained: Callable[[], None],
        given: Pairs = (),
    ) -> Started:
        """Start the process, or take it over if it was started before there was a reactor.

        Args:
            spec: what was asked.
            exited: called when it has ended.
            drained: called when moreover everything it wrote was read.
            given: variables that its permits gave to it.

        Raises:
            SpawnError: it cannot be executed as asked.
        """
        launched = self._head_start.take(spec.name) or self._launcher.launch(spec, given)
        streams = {} if spec.wrapped else self._open_streams(spec, launched.pid)
        if launched.listening is not None:
            exited = _after(self.notifications.begin(spec.name, launched.pid, launched.listening), exited)
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

    def start_hook(
        self,
        spec: ProcessSpec,
        hook: str,
        command: tuple[str, Iterable[str], Mapping[str, str]],
        make_protocol: Callable[[Streams], ProcessProtocol],
    ) -> Running:
        """Start a command whose outputs go where those of the process go, under the same back-pressure.

        Args:
            spec: the process.
            hook: what its records say, such as ``postStart``.
            command: entrypoint, arguments and environment.
            make_protocol: is given where the outputs go.

        Raises:
            SpawnError: it cannot be executed.
        """
        launched = self._launcher.launch_command(spec, *command, apart=True)
        protocol = make_protocol(self._open_streams(spec, launched.pid, hook))
        return self._run(launched, protocol, self._hold)

    def _run(self, launched: Launched, protocol: ProcessProtocol, hold: Hold) -> Running:
        running = Running(self._reactor, protocol, launched.pid, launched.pipes, hold, self._turns)
        self._reaper.expect(launched.pid, running.ended)
        return running


def _after(first: Callable[[], None], exited: Callable[[End], None]) -> Callable[[End], None]:
    """Have its last words heard before its end is told."""

    def both(end: End) -> None:
        first()
        exited(end)

    return both


def _not_held(reader: PipeReader) -> Callable[[], None]:
    """Leave a pipe alone whose bytes do not go to stdout."""
    return lambda: None
