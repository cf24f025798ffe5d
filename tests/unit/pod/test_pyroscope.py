from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from procwrap.core.events import ShutdownBegan
from procwrap.core.snapshot import Snapshot
from procwrap.pod.pyroscope import LOOK_AFTER, Profiler
from procwrap.spec.profiling import Profiling
from tests.support.asking import Questions

SERVER = Profiling("http://pyroscope:4040/x", "me", "s3cret")


@define(eq=False)
class Agent:
    """What ``import pyroscope`` gives, without threads.

    Attributes:
        refuses: what it raises, or that it does not start.
    """

    refuses: BaseException | bool = False
    given: dict[str, Any] = field(factory=dict)
    blocked: set[int] = field(factory=set)
    stopped: int = 0

    def configure(self, **given: Any) -> bool:
        """As the agent's."""
        if isinstance(self.refuses, BaseException):
            raise self.refuses
        self.given = given
        self.blocked = set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
        return not self.refuses

    def shutdown(self) -> None:
        """As the agent's."""
        self.stopped += 1


class Panic(BaseException):
    """What native code raises; it holds a secret."""


class ProfilerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.questions = Questions()
        self.warnings: list[str] = []
        self.wrong = ""
        self.looked: list[Profiling] = []

    def profiler(self, agent: Agent, ask: Callable[..., Deferred[Any]] | None = None) -> Profiler:
        """One whose agent is this."""

        def look(server: Profiling) -> str:
            self.looked.append(server)
            return self.wrong

        tags = {"hostname": "web-1", "version": "1.2.3"}
        ask = ask or self.questions.ask
        return Profiler(SERVER, tags, self.clock, ask, look, self.warnings.append, lambda: agent)

    def begun(self, agent: Agent) -> Profiler:
        """One that has begun, or tried."""
        profiler = self.profiler(agent)
        profiler.begin()
        question, about, asked = self.questions.open.pop(0)
        try:
            asked.callback(question(about))
        except Exception as error:
            asked.errback(error)
        return profiler

    def end(self, profiler: Profiler) -> None:
        """Begin the shutdown."""
        profiler.watch(Snapshot(), ShutdownBegan("SIGTERM"))

    def test_what_the_agent_is_told(self) -> None:
        """Where to send, who we are there, which tags; and to be silent."""
        agent = Agent()
        self.begun(agent)
        self.assertEqual(
            agent.given,
            {
                "application_name": "procwrap",
                "server_address": "http://pyroscope:4040/x",
                "basic_auth_username": "me",
                "basic_auth_password": "s3cret",
                "tags": {"hostname": "web-1", "version": "1.2.3"},
                "enable_logging": False,
            },
        )

    def test_its_threads_get_no_signals(self) -> None:
        """They are blocked while it starts, and not afterwards."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        agent = Agent()
        self.begun(agent)
        self.assertLessEqual({signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}, agent.blocked)
        self.assertEqual(signal.pthread_sigmask(signal.SIG_BLOCK, ()), before)

    def test_a_server_that_takes_profiles(self) -> None:
        """It is looked at once, a while after the start, and nothing is said."""
        self.begun(Agent())
        self.clock.advance(LOOK_AFTER - 0.1)
        self.assertEqual(self.questions.open, [])
        self.clock.advance(0.1)
        self.questions.find_out()
        self.assertEqual((self.looked, self.warnings), ([SERVER], []))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_server_that_does_not(self) -> None:
        """One warning, whatever comes later; it shows no secret."""
        self.wrong = "connection refused"
        self.begun(Agent())
        self.clock.advance(LOOK_AFTER)
        self.questions.find_out()
        self.clock.advance(3600)
        what = "http://pyroscope:4040/x does not take profiles: connection refused"
        self.assertEqual(self.warnings, [f"{what}; they are lost until it does"])
        self.assertEqual(self.questions.open, [])

    def test_an_agent_that_does_not_start(self) -> None:
        """One warning, and procwrap goes on; whatever native code says is not shown."""
        for refuses in (True, Panic("s3cret"), ImportError("s3cret")):
            profiler = self.begun(Agent(refuses))
            self.end(profiler)
        self.assertEqual(
            self.warnings,
            [
                "procwrap is not profiled: its agent cannot be started",
                "procwrap is not profiled: its agent cannot be started (Panic)",
                "procwrap is not profiled: its agent cannot be started (ImportError)",
            ],
        )
        self.assertEqual((self.clock.getDelayedCalls(), self.questions.open), ([], []))

    def test_no_thread_to_be_had(self) -> None:
        """That is a warning, too."""

        def ask(*_: object) -> Deferred[Any]:
            raise RuntimeError("can't start new thread")

        self.profiler(Agent(), ask).begin()
        self.assertEqual(self.warnings, ["procwrap is not profiled: can't start new thread"])

    def test_the_end(self) -> None:
        """What was seen so far is sent in a thread, for which nobody waits; the look is off."""
        agent = Agent()
        profiler = self.begun(agent)
        self.end(profiler)
        self.assertEqual((agent.stopped, self.clock.getDelayedCalls()), (0, []))
        self.questions.find_out()
        self.assertEqual(agent.stopped, 1)

    def test_the_end_before_it_has_begun(self) -> None:
        """An agent that starts so late is left to the end of the process."""
        agent = Agent()
        profiler = self.profiler(agent)
        profiler.begin()
        self.end(profiler)
        self.questions.find_out()
        self.assertEqual((self.clock.getDelayedCalls(), self.questions.open), ([], []))
