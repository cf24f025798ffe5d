from __future__ import annotations

from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from procwrap.children.hooks import HealthAfterPostStart, pre_stop, time_before_stop
from procwrap.core.events import Event, Level, Notice
from procwrap.core.lifecycle import Input
from procwrap.errors import ProbeError
from procwrap.spec.process import ProcessSpec
from tests.support.probes import ScriptedProbe


@define(eq=False)
class Listener:
    """The child of a hook: it keeps what it is told."""

    grace: float | None = 10.0
    spec: ProcessSpec = ProcessSpec("api", "/bin/api")
    happened: list[Input] = field(factory=list)
    reasons: list[str] = field(factory=list)

    def happen(self, happened: Input, reason: str = "") -> None:
        self.happened.append(happened)
        self.reasons.append(reason)

    def explain(self, reason: str) -> None:
        self.reasons.append(reason)


@define(eq=False)
class ToldChecks:
    """Checks that run until they are stopped."""

    running: bool = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False


@define(eq=False)
class PostStarted:
    """A process with checks and a postStart hook that ends when a test says so."""

    clock: Clock = field(factory=Clock)
    child: Listener = field(factory=Listener)
    told: list[Event] = field(factory=list)
    checks: ToldChecks = field(factory=ToldChecks)
    doing: Deferred[None] = field(factory=Deferred)
    hook: HealthAfterPostStart = field(init=False)

    def __attrs_post_init__(self) -> None:
        def step() -> ScriptedProbe:
            return ScriptedProbe([self.doing], target="exec warm")

        child, tell = self.child, self.told.append
        any_child: Any = child
        self.hook = HealthAfterPostStart(any_child, [step], self.clock, 30.0, tell, lambda first: first())
        self.hook.before(self.checks).start()

    def say(self, *happened: Input) -> None:
        for each in happened:
            self.hook.happen(each, "why")

    @property
    def begun(self) -> bool:
        return bool(self.clock.getDelayedCalls())


def test_nothing_is_healthy_before_the_hook_has_ended_well() -> None:
    """It begins with the first good news, which is passed on when it is over."""
    started = PostStarted()
    assert started.checks.running
    started.say(Input.DEGRADED)
    assert not started.begun
    started.say(Input.HEALTHY)
    assert (started.begun, started.child.happened) == (True, [Input.DEGRADED])
    assert started.child.reasons[-1] == "postStart runs"
    started.doing.callback(None)
    assert started.child.happened == [Input.DEGRADED, Input.HEALTHY]
    assert not started.begun


def test_it_is_run_once_a_start() -> None:
    """Later news is passed on as it comes."""
    started = PostStarted()
    started.say(Input.HEALTHY)
    started.doing.callback(None)
    started.say(Input.DEGRADED, Input.HEALTHY, Input.HEALTHY)
    assert started.child.happened == [Input.HEALTHY, Input.DEGRADED, Input.HEALTHY, Input.HEALTHY]
    assert not started.begun


def test_one_failure_during_the_hook_does_not_last() -> None:
    """Bad when the hook ends: not healthy yet; good again: healthy. The hook is not run twice."""
    started = PostStarted()
    started.say(Input.HEALTHY, Input.DEGRADED)
    started.doing.callback(None)
    assert Input.HEALTHY not in started.child.happened
    started.say(Input.HEALTHY)
    assert started.child.happened == [Input.DEGRADED, Input.HEALTHY]


def test_a_failure_that_is_over_before_the_hook_is_forgotten() -> None:
    """What counts is the last verdict."""
    started = PostStarted()
    started.say(Input.HEALTHY, Input.DEGRADED, Input.HEALTHY)
    started.doing.callback(None)
    assert started.child.happened == [Input.DEGRADED, Input.HEALTHY]


def test_a_failed_hook_condemns() -> None:
    """With one line that says so, at level error as that of a failed probe."""
    started = PostStarted()
    started.say(Input.HEALTHY)
    started.doing.errback(ProbeError("exec warm: exit code 3 (no disk), expected exit code 0"))
    reason = "postStart failed: exec warm: exit code 3 (no disk), expected exit code 0"
    assert (started.child.happened, started.child.reasons[-1]) == ([Input.CONDEMNED], reason)
    assert started.told == [Notice(Level.ERROR, reason, "api")]


def test_a_hook_that_is_late_condemns() -> None:
    """And it is given up."""
    started = PostStarted()
    started.say(Input.HEALTHY)
    started.clock.advance(30)
    assert started.child.happened == [Input.CONDEMNED]
    assert started.child.reasons[-1] == "postStart failed: exec warm: not done within 30s"
    assert started.doing.called


@pytest.mark.parametrize("began", [False, True])
def test_a_stop_ends_checks_and_hook(began: bool) -> None:
    """Whether it runs or not; nothing is said afterwards."""
    started = PostStarted()
    started.say(*[Input.HEALTHY] * began)
    started.hook.stop()
    assert (started.checks.running, started.child.happened) == (False, [])
    assert started.clock.getDelayedCalls() == []
    assert started.doing.called == began


@pytest.mark.parametrize(
    ("grace", "seconds"),
    [(10.0, 8.0), (4.0, 2.0), (3.0, 1.5), (1.0, 0.5), (0.0, 0.0), (600.0, 598.0), (None, 30.0)],
)
def test_the_last_part_of_the_grace_is_for_the_stop_signal(grace: float | None, seconds: float) -> None:
    """Two seconds or half of it, so that a hook that hangs does not lead from nothing to SIGKILL."""
    assert time_before_stop(grace) == seconds


@pytest.mark.parametrize("answer", ["", "http://x/: 503, expected 200-399"])
def test_whatever_comes_of_pre_stop_the_stop_goes_on(answer: str) -> None:
    """Its failure is told as a warning about the process."""
    clock, told = Clock(), list[Event]()
    child: Any = Listener()
    pre_stop(child, [lambda: ScriptedProbe([answer])], clock, told.append, lambda first: first()).start()
    assert child.happened == [Input.PRE_STOPPED]
    assert told == [Notice(Level.WARNING, f"preStop failed: {answer}", "api")] * bool(answer)


def test_pre_stop_that_hangs_is_given_up_in_time() -> None:
    """Two seconds before SIGKILL."""
    clock, told, hangs = Clock(), list[Event](), Deferred[None]()
    child: Any = Listener()
    pre_stop(child, [lambda: ScriptedProbe([hangs])], clock, told.append, lambda first: first()).start()
    clock.advance(7.9)
    assert child.happened == []
    # Late, because procwrap was held up: SIGKILL would not wait.
    clock.advance(1.5)
    assert (child.happened, hangs.called) == ([Input.PRE_STOPPED], True)
    assert told == [Notice(Level.WARNING, "preStop failed: peer: not done within 8s", "api")]


def at_start(started: PostStarted) -> None:
    """Begin anew with a hook that belongs to the start."""
    started.hook.stop()
    started.hook._at_start = True
    started.hook.start()


def test_a_hook_at_the_start_goes_before_the_checks() -> None:
    """The checks begin when it has ended well, and what they say then counts at once."""
    started = PostStarted()
    at_start(started)
    assert (started.begun, started.checks.running) == (True, False)
    started.doing.callback(None)
    assert started.checks.running
    started.say(Input.HEALTHY)
    assert started.child.happened == [Input.HEALTHY]


def test_a_hook_at_the_start_that_fails() -> None:
    """The process is condemned, and its checks never begin."""
    started = PostStarted()
    at_start(started)
    started.doing.errback(ProbeError("exit code 3"))
    assert started.child.happened == [Input.CONDEMNED]
    assert not started.checks.running


def test_new_checks_do_not_run_the_hook_again() -> None:
    """A reload changes the probes: what is done stays done, and what they say counts."""
    started, others = PostStarted(), ToldChecks()
    started.say(Input.HEALTHY)
    started.doing.callback(None)
    started.hook.exchange(others)
    assert (started.checks.running, others.running) == (False, True)
    started.say(Input.DEGRADED, Input.HEALTHY)
    assert not started.begun
    assert started.child.happened == [Input.HEALTHY, Input.DEGRADED, Input.HEALTHY]


def test_new_checks_during_the_hook_have_to_say_so_themselves() -> None:
    """What the old ones said before it is not passed on after it."""
    started, others = PostStarted(), ToldChecks()
    started.say(Input.HEALTHY)
    started.hook.exchange(others)
    started.doing.callback(None)
    assert (others.running, started.child.happened) == (True, [])
    started.say(Input.HEALTHY)
    assert started.child.happened == [Input.HEALTHY]
