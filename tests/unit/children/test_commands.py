from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from procwrap.children.commands import KEPT, CommandEnd, HookRunner
from procwrap.children.protocol import reason_of
from procwrap.core.events import End
from procwrap.errors import SpawnError
from procwrap.spec.process import ProcessSpec

NO_GROUP = 2**30
"""An id that no process group of Linux can have (PID_MAX_LIMIT is 2**22)."""


@define(eq=False)
class Sink:
    """Where the bytes of one output go."""

    received: bytes = b""
    finished: bool = False

    def receive(self, chunk: bytes) -> None:
        self.received += chunk

    def finish(self) -> None:
        self.finished = True


@define(eq=False)
class CommandOfTest:
    """A command that runs until a test ends it."""

    group: int = NO_GROUP
    signals: list[int] = field(factory=list)

    def signal(self, number: int) -> bool:
        self.signals.append(number)
        return True


@define(eq=False)
class HookExecutor:
    """Starts nothing, and keeps what it was asked for."""

    cannot: SpawnError | None = None
    sinks: dict[int, Sink] = field(factory=lambda: {1: Sink(), 2: Sink()})
    asked: list[object] = field(factory=list)
    protocol: Any = None
    running: CommandOfTest = field(factory=CommandOfTest)

    def start_hook(
        self,
        spec: ProcessSpec,
        hook: str,
        command: tuple[str, Iterable[str], Mapping[str, str]],
        make_protocol: Callable[[Mapping[int, Any]], Any],
    ) -> CommandOfTest:
        self.asked.append((spec.name, hook, command))
        if self.cannot is not None:
            raise self.cannot
        self.protocol = make_protocol(self.sinks)
        return self.running


@define(eq=False)
class ChildOfHook:
    """The process that the hook belongs to."""

    spec: ProcessSpec = ProcessSpec("api", "/bin/api")
    environment: Mapping[str, str] = field(factory=lambda: {"A": "1", "B": "2"})
    open: int = 0

    def output_opened(self) -> None:
        self.open += 1

    def output_drained(self) -> None:
        self.open -= 1


class HookRunnerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.executor, self.child = HookExecutor(), ChildOfHook()
        self.runner: Any = HookRunner(self.executor, self.child, "postStart")  # type: ignore[arg-type]

    def run_hook(self) -> Deferred[CommandEnd]:
        running: Deferred[CommandEnd] = self.runner.run("/bin/warm", ("-n",), (("B", "3"),))
        return running

    def test_what_is_run(self) -> None:
        """The command gets the process's environment and its own additions, and belongs to the process."""
        self.run_hook()
        command = ("/bin/warm", ("-n",), {"A": "1", "B": "3"})
        self.assertEqual(self.executor.asked, [("api", "postStart", command)])

    def test_output(self) -> None:
        """All of it goes on at once, each stream where it belongs; the first bytes of both are kept."""
        ended = self.run_hook()
        out, err = self.executor.sinks[1], self.executor.sinks[2]
        self.executor.protocol.childDataReceived(2, b"first")
        self.executor.protocol.childDataReceived(1, b"x" * 10_000)
        self.assertEqual((out.received, err.received), (b"x" * 10_000, b"first"))
        self.executor.protocol.processExited(reason_of(End(code=3)))
        self.assertEqual(
            self.successResultOf(ended), CommandEnd(End(code=3), (b"first" + b"x" * KEPT)[:KEPT])
        )

    def test_the_answer_does_not_wait_for_the_output(self) -> None:
        """It comes with the exit; the process is settled only when the rest was read."""
        ended = self.run_hook()
        self.executor.protocol.processExited(reason_of(End(code=0)))
        self.assertEqual(self.successResultOf(ended).end, End(code=0))
        self.assertEqual(self.child.open, 1)
        self.executor.protocol.childDataReceived(1, b"late")
        for number in (1, 2):
            self.executor.protocol.childConnectionLost(number)
        self.executor.protocol.processEnded(reason_of(End(code=0)))
        self.assertEqual((self.child.open, self.executor.sinks[1].received), (0, b"late"))
        self.assertTrue(all(sink.finished for sink in self.executor.sinks.values()))

    def test_cancel(self) -> None:
        """It is killed, its last words still come, and its end is nobody's any more."""
        ended = self.run_hook()
        ended.cancel()
        self.failureResultOf(ended, CancelledError)
        self.assertEqual(self.executor.running.signals, [signal.SIGKILL])
        self.executor.protocol.childDataReceived(1, b"last words")
        self.executor.protocol.processExited(reason_of(End(signal=9)))
        self.executor.protocol.processEnded(reason_of(End(signal=9)))
        self.assertEqual((self.child.open, self.executor.sinks[1].received), (0, b"last words"))

    def test_cannot_be_started(self) -> None:
        """That is a failed hook, and nothing is waited for."""
        self.executor.cannot = SpawnError("cannot execute /bin/warm: no such file")
        self.failureResultOf(self.run_hook(), SpawnError)
        self.assertEqual(self.child.open, 0)
