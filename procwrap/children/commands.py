"""Runs a command on behalf of a process, to its end: exec probes, and hooks when they come."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure
from zope.interface import implementer

from procwrap.children.executor import Executor
from procwrap.children.group import send_to_group
from procwrap.children.protocol import ChildProtocol
from procwrap.children.running import Running
from procwrap.core.events import End
from procwrap.errors import SpawnError
from procwrap.interfaces import ICommandRunner
from procwrap.spec.process import ProcessSpec

KEPT = 4096
"""Bytes of output that are kept; the rest is read and thrown away."""


@frozen
class CommandEnd:
    """How a command ended and how its output (stdout and stderr) begins."""

    end: End
    output: bytes = b""


@define(eq=False)
class _Beginning:
    """A stream that keeps the first bytes."""

    kept: bytearray = field(factory=bytearray)

    def receive(self, chunk: bytes) -> None:
        self.kept += chunk[: KEPT - len(self.kept)]

    def finish(self) -> None:
        return


@implementer(ICommandRunner)
@define(eq=False)
class CommandRunner:
    """Runs commands for one process.

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
        beginning = _Beginning()
        ends: list[End] = []
        started: list[Running] = []

        def exited(end: End) -> None:
            ends.append(end)
            # What it left behind must not hold the answer up, nor stay.
            send_to_group(started[0].group, signal.SIGKILL)
            started[0].finish_reading()

        def drained() -> None:
            if not done.called:
                done.callback(CommandEnd(ends[0], bytes(beginning.kept)))

        def kill(_: Deferred[CommandEnd]) -> None:
            started[0].signal(signal.SIGKILL)

        protocol = ChildProtocol({1: beginning}, exited, drained)
        environment = {**self._environment(), **dict(envs)}
        try:
            started.append(self._executor.start_command(self._spec, entrypoint, args, environment, protocol))
        except SpawnError:
            return fail(Failure())
        done: Deferred[CommandEnd] = Deferred(kill)
        return done
