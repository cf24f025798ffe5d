from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from procwrap.core.events import ProbeResult
from procwrap.errors import ProbeError
from procwrap.interfaces import IProbe
from procwrap.probes.look import look_at_all
from procwrap.probes.plugin import Plugin, PluginContext
from procwrap.spec.probe import PluginProbe
from tests.support.probes import ProbeReactor, context

SECRETS = ("hunter2",)


class Foreign:
    """A plugin that does what the test says."""

    target = "h:1"
    expected = "PONG"

    def __init__(self, settings: Any, context: PluginContext) -> None:
        self.settings, self.context = settings, context
        self.closed = 0

    def check(self) -> Any:
        return self.settings()

    def close(self) -> None:
        self.closed += 1


class PluginCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = ProbeReactor()
        self.said: list[str] = []
        observer = lambda event: self.said.append(event["log_format"].format(**event))  # noqa: E731
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def build(self, does: Callable[[], Any] | None = None, factory: Any = Foreign) -> Plugin:
        spec = PluginProbe("redis", factory, does, 2.0, SECRETS)
        return Plugin(spec, context(self.reactor, environment={"DB_PASSWORD": "t0ps3cret"}, started_at=7.0))

    def look(self, probe: Plugin) -> ProbeResult:
        [result] = self.successResultOf(look_at_all([probe], self.reactor))
        return result

    def reason(self, does: Callable[[], Any] | None = None, factory: Any = Foreign) -> str:
        """Why a round fails in which the plugin does this."""
        result = self.look(self.build(does, factory))
        self.assertFalse(result.succeeded)
        self.assertEqual(result.probe, "redis")
        self.assertEqual(self.flushLoggedErrors(), [])
        return result.reason


def raising(error: BaseException) -> Callable[[], Any]:
    """A check that raises."""

    def check() -> Any:
        raise error

    return check


class ResultTests(PluginCase):
    def test_provides_iprobe(self) -> None:
        """To everyone else it is a probe like any other, called by its key."""
        probe = self.build(lambda: succeed(None))
        verifyObject(IProbe, probe)
        self.assertEqual((probe.kind, probe.timeout), ("redis", 2.0))
        self.look(probe)
        self.assertEqual((probe.target, probe.expected), ("redis h:1", "PONG"))

    def test_success(self) -> None:
        """A Deferred that fires with anything but False is success."""
        for result in (None, True, 0, "", object()):
            self.assertTrue(self.look(self.build(lambda result=result: succeed(result))).succeeded)

    def test_false(self) -> None:
        """False is taken for what its author must have meant."""
        self.assertEqual(self.reason(lambda: succeed(False)), "redis h:1: it said False, expected PONG")

    def test_what_is_no_deferred(self) -> None:
        """None is most likely a forgotten return: taken for success it would hide every failure."""
        for result, name in ((None, "NoneType"), (True, "bool"), (False, "bool")):
            said = f"redis h:1: a bug: check() returned {name} instead of a Deferred, expected PONG"
            self.assertEqual(self.reason(lambda result=result: result), said)

    def test_coroutines(self) -> None:
        """check() may be an ``async def``."""

        async def good() -> None:
            await succeed(None)

        async def bad() -> None:
            await fail(ProbeError("-ERR"))

        self.assertTrue(self.look(self.build(good)).succeeded)
        self.assertEqual(self.reason(bad), "redis h:1: -ERR, expected PONG")

    def test_failures(self) -> None:
        """Raised or sent through the Deferred, an error is what was seen, in the words of our own probes."""
        for raised, said in (
            (ProbeError("-LOADING"), "-LOADING"),
            (error.ConnectionRefusedError(111, "x"), "connection refused"),
            (error.ConnectionLost("x" * 50), "connection closed"),
            (OSError(28, "No space left on device"), "no space left on device"),
            (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
            (KeyError(), "KeyError"),
            (CancelledError(), "it was cancelled"),
            (SystemExit(3), "SystemExit: 3"),
        ):
            line = f"redis h:1: {said}, expected PONG"
            self.assertEqual(self.reason(raising(raised)), line)
            self.assertEqual(self.reason(lambda raised=raised: fail(raised)), line)

    def test_secrets(self) -> None:
        """No secret of the settings or the environment is in a line, wherever the plugin puts it."""

        class Chatty(Foreign):
            target = "tcp://u:pw@h/ hunter2"
            expected = "t0ps3cret\n\x1b[1m"

        self.assertEqual(
            self.reason(raising(ValueError("hunter2\nt0ps3cret " + "x" * 1000)), Chatty)[:80],
            "redis tcp://***@h/ ***: ValueError: *** *** " + "x" * 36,
        )
        self.assertEqual(len(self.reason(raising(ValueError("x" * 1000)))), 512)

    def test_timeout(self) -> None:
        """A plugin that is late has failed at its timeout, and is cancelled."""
        cancelled: list[object] = []
        round_ = look_at_all([self.build(lambda: Deferred(cancelled.append))], self.reactor)
        self.reactor.advance(2.0)
        [result] = self.successResultOf(round_)
        self.assertEqual(result.reason, "redis h:1: no answer within 2s, expected PONG")
        self.assertEqual(len(cancelled), 1)
        self.assertEqual(self.flushLoggedErrors(), [])


class HarmTests(PluginCase):
    def test_constructor(self) -> None:
        """One that cannot be made fails under its own key, and is tried again."""
        tries: list[int] = []

        def factory(settings: Any, context: Any) -> Foreign:
            tries.append(1)
            if len(tries) < 3:
                raise RuntimeError("not yet, hunter2")
            return Foreign(settings, context)

        probe = self.build(lambda: succeed(None), factory)
        self.assertEqual(self.look(probe).reason, "redis: RuntimeError: not yet, ***, expected to succeed")
        self.assertFalse(self.look(probe).succeeded)
        self.assertTrue(self.look(probe).succeeded)
        self.assertTrue(self.look(probe).succeeded)
        self.assertEqual(len(tries), 3)

    def test_descriptions(self) -> None:
        """Its target and expectation may be missing, no text, or raise."""

        class Mute:
            def __init__(self, settings: Any, context: Any) -> None:
                pass

            @property
            def target(self) -> str:
                raise ValueError("hunter2")

            expected = 7

        self.assertEqual(
            self.reason(factory=Mute),
            "redis: AttributeError: 'Mute' object has no attribute 'check', expected to succeed",
        )

    def test_own_name_in_the_target(self) -> None:
        """A target that begins with the key does not get it twice."""

        class Named(Foreign):
            target = "redis at h:1"

        probe = self.build(lambda: succeed(None), Named)
        self.look(probe)
        self.assertEqual(probe.target, "redis at h:1")

    def test_cancelling(self) -> None:
        """A canceller that raises is one line in the log; a late result is nobody's."""

        def canceller(_: object) -> None:
            raise RuntimeError("hunter2")

        late: Deferred[None] = Deferred(canceller)
        round_ = look_at_all([self.build(lambda: late)], self.reactor)
        self.reactor.advance(2.0)
        self.assertIn("no answer within 2s", self.successResultOf(round_)[0].reason)
        self.assertEqual(self.said, ["The probe redis could not cancel: RuntimeError: ***"])
        late.errback(RuntimeError("too late"))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_closing(self) -> None:
        """close() is passed on, may be missing, and may raise; what was never made is not closed."""

        class Sticky(Foreign):
            def close(self) -> None:
                raise OSError("hunter2")

        made: list[Foreign] = []

        def factory(settings: Any, context: Any) -> Foreign:
            made.append(Foreign(settings, context))
            return made[-1]

        probe = self.build(lambda: succeed(None), factory)
        probe.close()
        self.assertEqual(made, [])
        self.look(probe)
        probe.close()
        self.assertEqual(made[0].closed, 1)
        sticky = self.build(lambda: succeed(None), Sticky)
        self.look(sticky)
        sticky.close()
        self.assertEqual(self.said, ["The probe redis could not close: OSError: ***"])

    def test_one_deferred_for_ever(self) -> None:
        """A plugin that goes on returning a Deferred that has failed does not succeed with it."""
        same: Deferred[Any] = fail(ProbeError("no"))
        probe = self.build(lambda: same)
        self.assertEqual(self.look(probe).reason, "redis h:1: no, expected PONG")
        for _ in range(3):
            self.assertIn("returned the Deferred of an earlier round", self.look(probe).reason)

    def test_what_it_is_lent(self) -> None:
        """A plugin gets what the documentation lists, and nothing of procwrap besides."""
        lent: list[PluginContext] = []

        def factory(settings: Any, context: PluginContext) -> Foreign:
            lent.append(context)
            return Foreign(settings, context)

        self.look(self.build(lambda: succeed(None), factory))
        [context] = lent
        self.assertIs(context.reactor, self.reactor)
        self.assertEqual(context.environment(), {"DB_PASSWORD": "t0ps3cret"})
        self.assertEqual(context.started_at(), 7.0)
        self.assertTrue(callable(context.asides.ask) and callable(context.runner.run))
        context.endpoint("127.0.0.1", 6379).connect(None)  # type: ignore[arg-type]
        self.assertEqual(self.reactor.tcpClients[-1][:2], ("127.0.0.1", 6379))

    def test_ten_thousand_rounds(self) -> None:
        """Whatever it does, no round leaves anything behind."""
        ends = [
            lambda: succeed(None),
            raising(KeyError("x")),
            lambda: fail(OSError(5, "x")),
            lambda: None,
            Deferred,
        ]
        probe = self.build(None)
        for number in range(10_000):
            probe._spec = PluginProbe("redis", Foreign, ends[number % 5], 2.0)
            probe._probe = None
            round_ = look_at_all([probe], self.reactor)
            if number % 5 == 4:
                self.reactor.advance(2.0)
            [result] = self.successResultOf(round_)
            self.assertEqual(result.succeeded, number % 5 == 0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual((self.said, self.flushLoggedErrors()), ([], []))
