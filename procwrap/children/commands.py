"""Runs commands on behalf of a process, to their end: those of exec probes, and those of its hooks."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from zope.interface import implementer

from procwrap.children.child import Child
from procwrap.children.executor import Executor, Streams
from procwrap.children.group import send_to_group
from procwrap.children.output import Stream
from procwrap.children.protocol import ChildProtocol
from procwrap.children.running import Running
from procwrap.core.events import End
from procwrap.errors import SpawnError
from procwrap.interfaces import ICommandRunner
from procwrap.spec.process import ProcessSpec

KEPT = 4096
"""Bytes of output that are kept to tell why a command failed."""


@frozen
class CommandEnd:
    """How a command ended and how its output (stdout and stderr) begins."""

    end: End
    output: bytes = b""


@define(eq=False)
class _Beginning:
    """A stream that keeps the first bytes, and passes all of them on if there is anything to pass them to."""

    kept: bytearray = field(factory=bytearray)
    _further: Stream | None = None

    def before(self, stream: Stream) -> Stream:
        """Return what keeps the same first bytes and passes all on to ``stream``."""
        return _Beginning(self.kept, stream)

    def receive(self, chunk: bytes) -> None:
        self.kept += chunk[: KEPT - len(self.kept)]
        if self._further is not None:
            self._further.receive(chunk)

    def finish(self) -> None:
        if self._further is not None:
            self._further.finish()


@define(eq=False)
class _Attempt:
    """One run of a command.

    Attributes:
        beginning: what it writes.
        running: the command, as soon as it runs.
        done: fires with the CommandEnd; cancelling it kills the command's process group.
    """

    beginning: _Beginning = field(factory=_Beginning)
    done: Deferred[CommandEnd] = field(init=False)
    _running: Running | None = None
    _end: End | None = None

    def __attrs_post_init__(self) -> None:
        self.done = Deferred(self._kill)

    def begin(self, running: Running) -> Deferred[CommandEnd]:
        """Take the command that has just been started."""
        self._running = running
        return self.done

    def exited(self, end: End) -> Running | None:
        """Take note of its end; what it left behind shall not stay."""
        self._end = end
        if self._running is not None:
            send_to_group(self._running.group, signal.SIGKILL)
        return self._running

    def answer(self) -> None:
        """Tell who waits for it."""
        if self._end is not None and not self.done.called:
            self.done.callback(CommandEnd(self._end, bytes(self.beginning.kept)))

    def _kill(self, _: Deferred[CommandEnd]) -> None:
        if self._running is not None:
            self._running.signal(signal.SIGKILL)


@implementer(ICommandRunner)
@define(eq=False)
class CommandRunner:
    """Runs commands for one process and throws their output away, but for its beginning.

    Args:
        executor: starts them.
        spec: the process; the command has its user, its directory and its limits.
        environment: the process's environment as it was at its last start.
    """

    _executor: Executor
    _spec: ProcessSpec
    _environment: Callable[[], Mapping[str, str]]

    def run(
        self, entrypoint: str, args: Sequence[str], envs: Sequence[tuple[str, str]]
    ) -> Deferred[CommandEnd]:
        """Run a command; see ICommandRunner."""
        attempt = _Attempt()

        def exited(end: End) -> None:
            if (running := attempt.exited(end)) is not None:
                # Whoever still holds the pipe must not hold the answer up.
                running.finish_reading()

        protocol = ChildProtocol({1: attempt.beginning}, exited, attempt.answer)
        environment = {**self._environment(), **dict(envs)}
        try:
            running = self._executor.start_command(self._spec, entrypoint, args, environment, protocol)
        except SpawnError:
            return fail(Failure())
        return attempt.begin(running)


@implementer(ICommandRunner)
@define(eq=False)
class HookRunner:
    """Runs the commands of one hook of a process; what they write goes where the process's output goes.

    It is read as the process's own is: under the same back-pressure, and to its end before the process is
    settled. The answer does not wait for that.

    Args:
        executor: starts them.
        child: the process.
        hook: what their records say, such as ``postStart``.
    """

    _executor: Executor
    _child: Child
    _hook: str

    def run(
        self, entrypoint: str, args: Sequence[str], envs: Sequence[tuple[str, str]]
    ) -> Deferred[CommandEnd]:
        """Run a command; see ICommandRunner."""
        child, attempt = self._child, _Attempt()

        def exited(end: End) -> None:
            attempt.exited(end)
            attempt.answer()

        def make_protocol(streams: Streams) -> ChildProtocol:
            kept = {number: attempt.beginning.before(stream) for number, stream in streams.items()}
            return ChildProtocol(kept, exited, child.output_drained)

        command = (entrypoint, args, {**child.environment, **dict(envs)})
        try:
            running = self._executor.start_hook(child.spec, self._hook, command, make_protocol)
        except SpawnError:
            return fail(Failure())
        child.output_opened()
        return attempt.begin(running)
