"""Probes that answer as told, and a process for them to look at."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer

from procwrap.core.events import End
from procwrap.core.notifications import Notified
from procwrap.errors import ProbeError
from procwrap.interfaces import ICommandRunner, IProbe
from procwrap.probes.aside import Asides
from procwrap.probes.context import ProbeContext

Answer = str | Exception | Deferred[None]
"""What a scripted probe does: empty text succeeds, text fails, an exception is raised, a Deferred waits."""


@implementer(IProbe)
@define(eq=False)
class ScriptedProbe:
    """Gives the answers of its script, then its last answer for ever."""

    answers: deque[Answer] = field(converter=deque)
    kind: str = "scripted"
    timeout: float | None = 2.0
    target: str = "peer"
    expected: str = "an answer"
    looked: int = 0
    closed: int = 0

    def check(self) -> Deferred[None]:
        """Answer as told."""
        self.looked += 1
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Deferred):
            return answer
        return fail(ProbeError(answer)) if answer else succeed(None)

    def close(self) -> None:
        """Count."""
        self.closed += 1


class ProbeReactor(MemoryReactorClock):
    """A reactor in memory that hears of threads at once."""

    def callFromThread(self, function: Callable[..., object], *args: object) -> None:
        """Call it right here."""
        function(*args)


class SilentProbe(ScriptedProbe):
    """Never answers."""

    def check(self) -> Deferred[None]:
        """Wait for ever."""
        self.looked += 1
        return Deferred()


class DeafDeferred(Deferred[None]):
    """A Deferred that cannot be cancelled: the worst a probe can return."""

    def cancel(self) -> None:
        """Ignore it."""


@frozen
class FakeCommandEnd:
    """How a command ended, as children.commands tells it."""

    end: End
    output: bytes = b""


@implementer(ICommandRunner)
@define(eq=False)
class FakeRunner:
    """Remembers what it was asked to run; the test ends it by firing ``running``."""

    running: Deferred[Any] = field(factory=Deferred)
    asked: list[tuple[str, Sequence[str], Sequence[tuple[str, str]]]] = field(factory=list)

    def run(self, entrypoint: str, args: Sequence[str], envs: Sequence[tuple[str, str]]) -> Deferred[Any]:
        """Run nothing."""
        self.asked.append((entrypoint, args, envs))
        return self.running


def at_once() -> Asides:
    """What asks nobody aside: every question is answered before ``ask`` returns."""
    return Asides(ProbeReactor(), lambda work: work())


def context(
    reactor: Any,
    *,
    environment: Mapping[str, str] | None = None,
    runner: FakeRunner | None = None,
    last_heartbeat: float | None = None,
    starts: Iterable[float] = (),
    started_at: float | None = None,
    http: Callable[[], Any] | None = None,
    asides: Asides | None = None,
    notified: Callable[[], Notified] = Notified,
) -> ProbeContext:
    """A process in the state that a test needs."""
    return ProbeContext(
        reactor=reactor,
        environment=lambda: environment or {},
        runner=runner or FakeRunner(),
        last_heartbeat=lambda: last_heartbeat,
        starts=lambda: starts,
        started_at=lambda: started_at,
        http=http or (lambda: None),
        asides=asides or Asides(reactor),
        notified=notified,
    )
