"""The thin shell around the lifecycle table: one door for what happens, one verb for each effect."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Mapping

from attrs import define, field

from procwrap.children.output import LINGER
from procwrap.children.running import Running
from procwrap.children.surroundings import Checks, Surroundings
from procwrap.children.timer import Timer
from procwrap.core.events import End, Ended, Restarting, Spawned, StateChanged
from procwrap.core.lifecycle import ALIVE, FINAL, Effect, Input, State, move
from procwrap.core.policy import Aim, Judge
from procwrap.errors import SpawnError
from procwrap.spec.process import ProcessSpec

REMEMBERED_STARTS = 1024


@define(eq=False)
class Child:
    """One process through all its runs.

    Attributes:
        starts: reactor seconds of its last starts, oldest first.
        environment: what it got at its last start.
    """

    spec: ProcessSpec
    _around: Surroundings
    state: State = State.WAITING
    starts: deque[float] = field(factory=lambda: deque(maxlen=REMEMBERED_STARTS))
    environment: Mapping[str, str] = field(factory=dict, repr=False)
    _judge: Judge = field(init=False)
    _aim: Aim = Aim.RUN
    _running: Running | None = None
    _undrained: int = 0
    _checks: Checks | None = None
    _pre_stop: Checks | None = None
    _delay: float = 0.0
    _grace: Timer = field(init=False)
    _backoff: Timer = field(init=False)
    _inputs: deque[tuple[Input, str]] = field(factory=deque)
    _answering: bool = False

    def __attrs_post_init__(self) -> None:
        """Give it a memory of its restarts, and timers."""
        self._begin_anew()
        self._grace, self._backoff = Timer(self._around.clock), Timer(self._around.clock)

    def _begin_anew(self) -> None:
        # Whoever asks for it gives it another chance: restarts of before do not count.
        self._aim, self._judge = Aim.RUN, Judge(self.spec.restart, self.spec.stop.signal)

    @property
    def settled(self) -> bool:
        """Whether it is over and everything that it wrote has been read."""
        return self.state in FINAL and not self._undrained

    @property
    def group(self) -> int | None:
        """The process group it leads, which is also its pid; None when it does not run."""
        return None if self._running is None else self._running.group

    @property
    def grace(self) -> float | None:
        """Seconds from the beginning of its stop to SIGKILL; None is never."""
        asked = self.spec.stop.timeout
        return self._around.grace if asked is None else asked

    def happen(self, happened: Input, reason: str = "") -> None:
        """Take an input; one that comes while another is answered waits for its turn."""
        self._inputs.append((happened, reason))
        if self._answering:
            return
        self._answering = True
        try:
            while self._inputs:
                self._answer(*self._inputs.popleft())
        finally:
            self._answering = False

    def adjust(self, spec: ProcessSpec, *, new_checks: bool) -> None:
        """Go on as another spec says, with new checks where it runs and they are different."""
        self.spec = spec
        self._judge.adjust(spec.restart, spec.stop.signal)
        if new_checks and self._checks is not None:
            self._checks = self._around.renew_checks(self, self._checks)

    def retire(self, reason: str) -> None:
        """Start no further run: one that has not begun is called off, one that runs may go on to its end."""
        if self.state in ALIVE:
            self._aim = Aim.STOP
        else:
            self.happen(Input.STOP, reason)

    def lose(self, reason: str) -> None:
        """Kill it at once: what it was permitted belongs to another, or soon may. It asks again then."""
        if self._aim is Aim.RUN:
            # Not only when the input is answered: its end may be being judged at this moment.
            self._aim = Aim.REGAIN
        self.signal(signal.SIGKILL)
        self.happen(Input.LOST, reason)

    def explain(self, reason: str) -> None:
        """Say why it is in its state."""
        self._become(self.state, reason)

    def output_opened(self) -> None:
        """Note that there is one more output, of it or of its hooks, to be read before it is settled."""
        self._undrained += 1

    def output_drained(self) -> None:
        """Note that one of them has been read to its end."""
        self._undrained -= 1

    def signal(self, number: int) -> bool:
        """Send a signal to its process group; False when there is no process."""
        return self._running is not None and self._running.signal(number)

    def _answer(self, happened: Input, reason: str) -> None:
        answer = move(self.state, happened)
        if happened in (Input.STOP, Input.KILL):
            # Also when a restart is already under way: then it becomes a stop.
            self._aim = Aim.STOP
        if answer is None:
            return
        if happened is Input.BEGIN:
            self._begin_anew()
        if self._aim is Aim.RUN:
            self._aim = _AIMS.get(happened, Aim.RUN)
        self._become(answer.state, reason)
        for effect in answer.effects:
            _VERBS[effect](self)

    def _become(self, state: State, reason: str) -> None:
        if state is self.state and not reason:
            return
        self.state = state
        around = self._around
        around.tell(StateChanged(self.spec.name, state, around.clock.seconds(), around.wall(), reason))

    def _ask_gate(self) -> None:
        gate, needs = self._around.gate, self.spec.depends_on
        gate.ask(self.spec.name, needs, self.happen)
        if needs and (reason := gate.reason(self.spec.name)):
            self._become(State.WAITING, reason)

    def _leave_gate(self) -> None:
        self._around.gate.leave(self.spec.name)

    def _spawn(self) -> None:
        around = self._around
        self._aim = Aim.RUN
        try:
            given = around.gate.environment(self.spec.name)
            started = around.executor.start(self.spec, self._exited, self.output_drained, given)
        except SpawnError as error:
            around.gate.ended(self.spec.name)
            self.starts.append(around.clock.seconds())
            self._judge_end(End(code=error.exit_status, reason=error.reason), None)
            return
        self._running, self.environment = started.running, started.environment
        self.starts.append(started.at)
        self.output_opened()
        around.tell(Spawned(self.spec.name, self._running.group, started.at, around.wall()))
        self._checks = around.make_checks(self)
        self._checks.start()

    def _exited(self, end: End) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        if not self.spec.wrapped or self._around.sweeps:
            self._around.leftovers.sweep(running.group, 0.0 if self.spec.wrapped else LINGER)
        self._around.gate.ended(self.spec.name)
        self._judge_end(end, running.group)

    def _judge_end(self, end: End, pid: int | None) -> None:
        around, name = self._around, self.spec.name
        now = around.clock.seconds()
        ran_for = now - self.starts[-1] if pid is not None else 0.0
        judged = self._judge.judge(end, self._aim, ran_for, now)
        cpu = None if pid is None else around.cpu_spent(pid)
        around.tell(Ended(name, pid, end, ran_for, now, around.wall(), judged.success, cpu))
        if judged.happened is Input.AGAIN:
            around.tell(Restarting(name, judged.cause, judged.delay, judged.reason))
            self._delay = judged.delay
        self.happen(judged.happened, judged.reason)
        if judged.ends_all:
            around.ended_all(self.spec, end, judged)

    def _stop_checks(self) -> None:
        if self._checks is not None:
            self._checks.stop()
            self._checks = None

    def _run_pre_stop(self) -> None:
        self._pre_stop = self._around.make_pre_stop(self)
        self._pre_stop.start()

    def _cancel_pre_stop(self) -> None:
        if self._pre_stop is not None:
            self._pre_stop.stop()
            self._pre_stop = None

    def _send_stop(self) -> None:
        self.signal(self.spec.stop.signal)
        # A process that was stopped by job control could not act on it.
        self.signal(signal.SIGCONT)

    def _kill(self) -> None:
        self.signal(signal.SIGKILL)

    def _arm_grace(self) -> None:
        grace = self.grace
        if grace is not None:
            reason = f"did not end within {grace:g}s: SIGKILL"
            self._grace.arm(grace, self.happen, Input.GRACE_OVER, reason)

    def _arm_backoff(self) -> None:
        self._backoff.arm(self._delay, self.happen, Input.BACKOFF_OVER)


_AIMS = {Input.CONDEMNED: Aim.RESTART, Input.OVER_LIMIT: Aim.FREE_MEMORY}

_VERBS: Mapping[Effect, Callable[[Child], None]] = {
    Effect.ASK_GATE: Child._ask_gate,
    Effect.LEAVE_GATE: Child._leave_gate,
    Effect.SPAWN: Child._spawn,
    Effect.STOP_CHECKS: Child._stop_checks,
    Effect.RUN_PRE_STOP: Child._run_pre_stop,
    Effect.CANCEL_PRE_STOP: Child._cancel_pre_stop,
    Effect.SEND_STOP: Child._send_stop,
    Effect.ARM_GRACE: Child._arm_grace,
    Effect.DISARM_GRACE: lambda child: child._grace.disarm(),
    Effect.KILL: Child._kill,
    Effect.ARM_BACKOFF: Child._arm_backoff,
    Effect.DISARM_BACKOFF: lambda child: child._backoff.disarm(),
}
