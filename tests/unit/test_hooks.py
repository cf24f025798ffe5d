"""The composition root's part of the hooks: which steps a hook has, and what they are lent."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

# What is not imported yet would be imported in a thread, which a Clock knows nothing of.
import procwrap.probes.exec
import procwrap.probes.http
import procwrap.probes.sql  # noqa: F401
from procwrap.children.hookrun import HookRun
from procwrap.core.events import End, Event, Level, Notice
from procwrap.core.lifecycle import Input
from procwrap.hooks import HookMaker, Pause
from procwrap.interfaces import IProbe
from procwrap.spec.hook import CommandHook, PostStart, PreStop
from procwrap.spec.plan import Plan, Settings
from procwrap.spec.probe import ExecProbe, HttpProbe, SqlProbe
from procwrap.spec.process import ProcessSpec
from procwrap.tls import has_http_probe, needs_tls
from tests.support.probes import FakeCommandEnd, FakeRunner, context

URL = "http://127.0.0.1:1/drain"


@define(eq=False)
class Client:
    """An HTTP client that keeps what it was asked for and never answers by itself."""

    asked: list[tuple[str, str]] = field(factory=list)
    answer: Deferred[Any] = field(factory=Deferred)

    def request(self, method: str, url: str, **_: Any) -> Deferred[Any]:
        self.asked.append((method, url))
        return self.answer


@define(eq=False)
class ChildOfHook:
    """The process that the hooks belong to."""

    spec: ProcessSpec = ProcessSpec("api", "/bin/api")
    grace: float | None = 10.0
    happened: list[Input] = field(factory=list)
    reasons: list[str] = field(factory=list)

    def happen(self, happened: Input, reason: str = "") -> None:
        self.happened.append(happened)
        self.reasons.append(reason)

    def explain(self, reason: str) -> None:
        self.reasons.append(reason)


class HookMakerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.client, self.child = Clock(), Client(), ChildOfHook()
        self.told: list[Event] = []
        self.runner = FakeRunner()
        looking = context(self.clock, environment={"DB_PASSWORD": "hunter22"}, http=lambda: self.client)
        self.maker: Any = HookMaker(self.clock, self.told.append, None, lambda child: looking)  # type: ignore[arg-type]

    def pre_stop(self, asked: PreStop) -> HookRun:
        """The started preStop hook."""
        hook: HookRun = self.maker.pre_stop(self.child, asked)
        hook.start()
        self.clock.advance(0)
        return hook

    def test_request(self) -> None:
        """A preStop request has the time that the stop leaves it, not that of a probe."""
        self.pre_stop(PreStop(http=HttpProbe(URL, method="POST", timeout=2.0)))
        self.clock.advance(7.9)
        self.assertEqual((self.client.asked, self.child.happened), ([("POST", URL)], []))
        self.clock.advance(0.1)
        self.assertEqual(self.child.happened, [Input.PRE_STOPPED])
        self.assertEqual(
            self.told, [Notice(Level.WARNING, f"preStop failed: {URL}: not done within 8s", "api")]
        )

    def test_pause(self) -> None:
        """A pause is over in time and no failure."""
        self.pre_stop(PreStop(sleep=5.0))
        self.clock.advance(5)
        self.assertEqual((self.child.happened, self.told), ([Input.PRE_STOPPED], []))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_pause_is_too_long(self) -> None:
        """It is cut where the stop signal has to be sent, and that is said."""
        self.pre_stop(PreStop(sleep=60.0))
        self.clock.advance(8)
        self.assertEqual(self.child.happened, [Input.PRE_STOPPED])
        text = "preStop failed: sleep 60s: not done within 8s"
        self.assertEqual(self.told, [Notice(Level.WARNING, text, "api")])

    def test_pause_provides_iprobe(self) -> None:
        """It is a step like any other, and can be given up."""
        pause = Pause(self.clock, 1.0)
        verifyObject(IProbe, pause)
        waiting = pause.check()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_all_that_a_post_start_hook_can_do(self) -> None:
        """Command, queries, request and pause, in this order."""
        command, http = CommandHook("warm"), HttpProbe(URL)
        asked = PostStart(5.0, command, SqlProbe(), http=http, sleep=1.0)
        self.assertEqual(len(list(self.maker._post_start_steps(self.child, asked))), 4)

    def test_command_then_queries(self) -> None:
        """In this order, and the queries have the deadline of the hook."""
        asked = PostStart(20.0, CommandHook("/bin/warm"), SqlProbe(("select 1",)))
        steps = list(self.maker._post_start_steps(self.child, asked))
        self.assertEqual(len(steps), 2)
        self.assertEqual(self.successResultOf(steps[0]()).kind, "exec")

    def test_failed_command(self) -> None:
        """What it said is told without the secrets of the process."""
        command = ExecProbe("/bin/warm", ("--pw", "hunter22"))
        step = self.maker._probe(self.child, command, runner=self.runner)()
        checked = self.successResultOf(step).check()
        self.runner.running.callback(FakeCommandEnd(End(code=3), b"denied: hunter22\n"))
        self.assertEqual(
            self.failureResultOf(checked).value.reason,
            "exec /bin/warm: exit code 3 (denied: ***), expected exit code 0",
        )


class TlsTests(SynchronousTestCase):
    def test_a_hook_may_need_an_http_client(self) -> None:
        """It is imported beside the running processes, not when one of them is to stop."""
        plain, secure = (PreStop(http=HttpProbe(f"{scheme}://x/")) for scheme in ("http", "https"))
        found = []
        for hook in (None, PreStop(sleep=1.0), plain, secure):
            plan = Plan((ProcessSpec("api", "/bin/api", pre_stop=hook),))
            found.append((has_http_probe(plan), needs_tls(plan, Settings())))
        self.assertEqual(found, [(False, False), (False, False), (True, False), (True, True)])
