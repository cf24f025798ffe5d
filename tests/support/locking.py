"""A lock server that answers as a test says, and a guard that notes what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from procwrap.core.locks import LockEvent
from procwrap.lock import wire
from procwrap.lock.leases import Holder, Leases
from procwrap.lock.permit import LockPermit, Surroundings
from procwrap.spec.probe import Pairs


@frozen
class Said:
    """What a server has said."""

    status: int
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""


def granted(lease: int = 7, ttl: float = 2.0, token: int = 1) -> Said:
    """A lease."""
    return Said(201, {wire.TTL: wire.write_ttl(ttl), wire.TOKEN: str(token)}, wire.id_body(lease))


def refused(holder: str = "pod-b") -> Said:
    """Another holds it."""
    return Said(202, {wire.REASON: wire.encoded(f"held by {holder}"), wire.HOLDER: holder}, b"0")


def held(ttl: float = 2.0) -> Said:
    """A keepalive was heard."""
    return Said(200, {wire.TTL: wire.write_ttl(ttl)})


OVER, FREE = Said(204), Said(200)


@define(eq=False)
class Question:
    """Something that was posted and waits for its answer."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    answered: Deferred[Said]


@define(eq=False)
class Script:
    """A lock server.

    Attributes:
        asked: everything that was posted, in order.
    """

    asked: list[Question] = field(factory=list)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Deferred[Said]:
        """Take a question; cancelling it is an error in the poster's words."""
        answered: Deferred[Said] = Deferred(lambda gone: gone.errback(OSError("cut off (CancelledError)")))
        self.asked.append(Question(path, body, headers, answered))
        return answered

    @property
    def paths(self) -> list[str]:
        """Where was posted to."""
        return [question.path for question in self.asked]

    def answer(self, said: Said) -> None:
        """Answer the oldest question that waits."""
        self._oldest().callback(said)

    def fail(self, text: str = "connection refused") -> None:
        """Let the oldest question that waits fail."""
        self._oldest().errback(OSError(text))

    @property
    def waits(self) -> bool:
        """Whether a question waits."""
        return any(not question.answered.called for question in self.asked)

    def _oldest(self) -> Deferred[Said]:
        return next(question.answered for question in self.asked if not question.answered.called)

    def leases(self, clock: Clock, ttl: float = 2.0) -> Leases:
        """Return what asks this server."""
        return Leases(
            Holder("api", ttl, "pod-a", {"node": "n"}), "lock:8191", self.post, clock, lambda: "now"
        )


@define(eq=False)
class NotedRun:
    """A run that nobody guards.

    Attributes:
        deadlines: what it was told.
    """

    killed: Callable[[str], None]
    deadlines: list[float] = field(factory=list)
    is_over: bool = False

    def keep(self, deadline: float) -> None:
        """Note a deadline."""
        self.deadlines.append(deadline)

    def over(self) -> None:
        """Note the end."""
        self.is_over = True

    def begin(self) -> None:
        """Nobody listens."""


@define(eq=False)
class NotedGuarding:
    """A guard that is there when a test says so.

    Attributes:
        runs: all that it was to guard.
    """

    runs: list[NotedRun] = field(factory=list)
    is_there: bool = True
    waiting: list[Deferred[None]] = field(factory=list)

    def ready(self) -> Deferred[None]:
        """Be there, or not yet."""
        going: Deferred[None] = Deferred()
        if self.is_there:
            going.callback(None)
        else:
            self.waiting.append(going)
        return going

    def guard(self, killed: Callable[[str], None]) -> NotedRun:
        """Note a run."""
        self.runs.append(NotedRun(killed))
        return self.runs[-1]


@define(eq=False)
class Asker:
    """A process that asks for its lock, with nothing real about it.

    Attributes:
        told: the events.
        said: what was answered to the process.
        lost: the reasons for which it was to be killed.
        killed: the groups that were sent SIGKILL.
        left: the groups that have a member.
    """

    clock: Clock = field(factory=Clock)
    server: Script = field(factory=Script)
    guarding: NotedGuarding = field(factory=NotedGuarding)
    told: list[LockEvent] = field(factory=list)
    said: list[str] = field(factory=list)
    variables: list[Pairs] = field(factory=list)
    lost: list[str] = field(factory=list)
    killed: list[int] = field(factory=list)
    left: set[int] = field(factory=set)
    permit: LockPermit = field(init=False)

    def __attrs_post_init__(self) -> None:
        around = Surroundings(
            self.guarding,  # type: ignore[arg-type]
            self.clock,
            self.clock.seconds,
            lambda: 0.5,
            lambda: f"wish-{len(self.server.asked)}",
            self.told.append,
            lambda name, reason: self.lost.append(reason),
            self.killed.append,
            lambda group: group in self.left,
        )
        self.permit = LockPermit("api", self.server.leases(self.clock), around)

    @property
    def grant(self) -> Callable[[Pairs], None]:
        """Take a grant."""
        return self.variables.append

    @property
    def stand_by(self) -> Callable[[str], None]:
        """Take what there is to wait for."""
        return self.said.append

    def ask(self) -> None:
        """Ask, as the entrance does."""
        self.permit.ask("api", self)

    def run(self, group: int = 100) -> NotedRun:
        """Ask, get the lock, and begin to run."""
        self.ask()
        self.server.answer(granted())
        self.permit.begun(group)
        return self.guarding.runs[-1]
