"""Contenders for one lock, the server between them, and everything that can go wrong."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.support.hosted import Hosted, free_port
from tests.support.presence import Life, lives, longest_silence, overlaps, unordered_tokens
from tests.support.procfs import children_of, eventually
from tests.support.wires import Wire, Wires

TTL = 1.0
"""Seconds; the least that a server grants."""
BACK_WITHIN = TTL + 2.0
"""Seconds in which somebody runs again once a fault is over."""
FRESH = 0.1
"""Seconds; who has said so recently still runs."""
PATIENCE = 20.0


class Server:
    """A lock server with its leases on disk; it can be stopped, killed and begun again."""

    def __init__(
        self,
        home: Path,
        environment: dict[str, str] | None = None,
        host: str = "127.0.0.1",
        prefix: Sequence[str] = (),
    ) -> None:
        self.port = free_port()
        self._host = host
        self._prefix = prefix
        self._home = home
        self._environment = environment
        self._begun = 0
        self._hosted = self._start()

    def _start(self) -> Hosted:
        self._begun += 1
        home = self._home / f"server-{self._begun}"
        home.mkdir(parents=True)
        environment = {"SHARED_LEASE_SOCKET": f"{self._host}:{self.port}", **(self._environment or {})}
        options = ["--shared-lock"]
        if self._environment is None:
            options += ["--shared-lock-store", str(self._home / "leases.db"), "--shared-lock-max-ttl", "1s"]
        hosted = Hosted(home, None, options, environment, self._prefix)
        hosted.until(lambda: hosted.said("listens"))
        return hosted

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._hosted.signal(number)

    def kill(self) -> None:
        """Kill it."""
        self._hosted.signal(signal.SIGKILL)
        self._hosted.wait()

    def again(self) -> None:
        """Start it again on its old port, with what it had written down."""
        self._hosted = self._start()

    def close(self) -> None:
        """End it."""
        if self._hosted.process.poll() is None:
            self.kill()


class Contender:
    """One procwrap that wants the lock.

    Args:
        home: directory of all contenders.
        url: of its server.
        wire: between them, if a test is to cut it.
        kind: of its process: plain, or a family.
        prefix: words before its command.
    """

    def __init__(
        self,
        home: Path,
        name: str,
        url: str,
        program: Path,
        kind: str = "plain",
        wire: Wire | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.home, self.name, self._url, self._wire = home, name, url, wire
        self._program, self._kind, self._prefix = program, kind, prefix
        self._begun = 0
        self.hosted = self.start()

    def start(self) -> Hosted:
        """Start it, again."""
        self._begun += 1
        home = self.home / f"{self.name}-{self._begun}"
        home.mkdir()
        plan = [
            {
                "name": "job",
                "entrypoint": str(self._program),
                "args": [str(self.home / "history"), self.name, self._kind],
                "restartBackoff": {"initial": "50ms", "max": "100ms"},
                "readiness": {"lock": {"ttlDuration": f"{TTL:g}s"}},
            }
        ]
        options = ["--shared-lock-url", self._url]
        self.hosted = Hosted(home, plan, options, {"POD_NAME": self.name}, self._prefix)
        return self.hosted

    @property
    def wire(self) -> Wire:
        """What is between it and its server."""
        assert self._wire is not None
        return self._wire

    @property
    def pid(self) -> int:
        """The pid of its procwrap."""
        return self.hosted.process.pid

    def guard(self) -> int | None:
        """Return the pid of its guard."""
        for pid in children_of(self.pid):
            with contextlib.suppress(OSError):
                if b"guard.py" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None

    def is_up(self) -> bool:
        """Return whether it has asked for the lock, and was answered."""
        return bool(self.hosted.said("standby|holds"))

    def close(self) -> None:
        """End it, and with it its guard and its process."""
        if self.hosted.process.poll() is None:
            self.hosted.signal(signal.SIGKILL)
            self.hosted.wait()


class Outcome(NamedTuple):
    """What a fault led to; ``silence`` is for how long nobody ran once it was over."""

    fault: str
    silence: float
    handover: float | None = None


class Contest:
    """Some contenders for one lock, with one server or more; a context manager.

    Args:
        home: directory for everything.
        seed: of everything that is random here.
        environment: of the servers; with it they have another store than a file.
    """

    def __init__(
        self,
        home: Path,
        wires: Wires,
        program: Path,
        seed: int,
        environment: dict[str, str] | None = None,
        servers: int = 1,
        count: int | None = None,
    ) -> None:
        self.random = random.Random(seed)
        self.home = home
        (home / "history").mkdir(parents=True)
        self.servers = [Server(home / f"s{number}", environment) for number in range(servers)]
        self.contenders = []
        for number in range(count or self.random.randint(2, 5)):
            wire = wires.wire(self.servers[number % servers].port)
            url, kind = f"http://127.0.0.1:{wire.port}", self.random.choice(["plain", "family"])
            self.contenders.append(Contender(home, f"c{number}", url, program, kind, wire))
        self.outcomes: list[Outcome] = []

    def __enter__(self) -> Contest:
        return self

    def __exit__(self, *error: object) -> None:
        for contender in self.contenders:
            contender.close()
        for server in self.servers:
            server.close()

    def history(self) -> list[Life]:
        """Return who ran when."""
        return lives(self.home / "history")

    def holder(self) -> Contender | None:
        """Return who runs at this moment."""
        now = time.monotonic()
        fresh = [life for life in self.history() if life.end > now - FRESH]
        named = {contender.name: contender for contender in self.contenders}
        return named[max(fresh, key=lambda life: life.end).name] if fresh else None

    def somebody(self) -> Contender:
        """Wait until somebody runs, and return who."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.holder()) is None:
            assert time.monotonic() < deadline, f"nobody runs any more: {self.home}"
            time.sleep(0.02)
        return found

    def suffer(self, fault: str) -> Outcome:
        """Let one thing go wrong, mend it, and wait until somebody has run again for a while."""
        eventually(lambda: all(contender.is_up() for contender in self.contenders), 90.0)
        holder = self.somebody()
        over = FAULTS[fault](self, holder)
        self.somebody()
        deadline = time.monotonic() + PATIENCE
        # Who runs now may be about to be killed because of what happened.
        calm = max(over, time.monotonic()) + self.random.uniform(1.0, 1.5) * TTL
        while time.monotonic() < calm or self.holder() is None:
            assert time.monotonic() < deadline, f"nobody runs any more after {fault}: {self.home}"
            time.sleep(0.02)
        history = self.history()
        silence = longest_silence(history, over, min(time.monotonic(), max(life.end for life in history)))
        outcome = Outcome(fault, silence, _handover(history, over) if fault == "stopped" else None)
        self.outcomes.append(outcome)
        return outcome

    def check(self) -> None:
        """Fail if two ever ran at once, or if it took too long until somebody did."""
        history = self.history()
        assert overlaps(history) == [], (self.home, self.outcomes)
        assert unordered_tokens(history) == [], (self.home, self.outcomes)
        late = [outcome for outcome in self.outcomes if outcome.silence > BACK_WITHIN]
        assert late == [], (self.home, self.outcomes)


def _handover(history: list[Life], since: float) -> float | None:
    """Return the seconds from the last sign of the first holder to the first one of the next."""
    tokens = list(dict.fromkeys(life.token for life in history))
    ends = {token: max(life.end for life in history if life.token == token) for token in tokens}
    for before, after in pairwise(tokens):
        if ends[before] >= since:
            return min(life.begin for life in history if life.token == after) - ends[before]
    return None


# Each does its harm, mends what has to be mended, and returns when it was over: the moment from which on
# everybody but perhaps the holder could do his work.


def _server_stopped(contest: Contest, holder: Contender) -> float:
    for server in contest.servers:
        server.signal(signal.SIGSTOP)
    time.sleep(contest.random.uniform(0.2, 2.5) * TTL)
    for server in contest.servers:
        server.signal(signal.SIGCONT)
    return time.monotonic()


def _server_killed(contest: Contest, holder: Contender) -> float:
    server = contest.random.choice(contest.servers)
    server.kill()
    time.sleep(contest.random.uniform(0.0, 1.5) * TTL)
    server.again()
    return time.monotonic()


def _for_a_while(
    *names: str, value: object, everybody: bool = False
) -> Callable[[Contest, Contender], float]:
    def harm(contest: Contest, holder: Contender) -> float:
        hit = contest.contenders if everybody else [holder]
        begun = time.monotonic()
        for contender in hit:
            for name in names:
                setattr(contender.wire, name, value)
        time.sleep(contest.random.uniform(0.2, 2.5) * TTL)
        for contender in hit:
            contender.wire.heal()
            if contest.random.random() < 0.5:
                contender.wire.cut()
        return time.monotonic() if everybody else begun

    return harm


def _late(contest: Contest, holder: Contender) -> float:
    """Answer everybody later than the lock lives."""
    for contender in contest.contenders:
        contender.wire.delay = contest.random.uniform(0.3, 2.0) * TTL
    time.sleep(contest.random.uniform(1.0, 2.5) * TTL)
    for contender in contest.contenders:
        contender.wire.heal()
    # What is on its way comes late still.
    return time.monotonic() + 2.0 * TTL


def _keepalive_late(contest: Contest, holder: Contender) -> float:
    """Answer the holder's keepalive after the lock was lost."""
    begun = time.monotonic()
    holder.wire.delay = contest.random.uniform(0.8, 1.3) * TTL
    time.sleep(contest.random.uniform(0.3, 1.5) * TTL)
    holder.wire.heal()
    return begun


def _cut(contest: Contest, holder: Contender) -> float:
    for contender in contest.contenders:
        contender.wire.cut()
    return time.monotonic()


def _half_closed(contest: Contest, holder: Contender) -> float:
    holder.wire.half_close()
    return time.monotonic()


def _holder_stopped(contest: Contest, holder: Contender) -> float:
    begun = time.monotonic()
    holder.hosted.signal(signal.SIGSTOP)
    time.sleep(contest.random.uniform(0.3, 3.0) * TTL)
    holder.hosted.signal(signal.SIGCONT)
    return begun


def _holder_killed(contest: Contest, holder: Contender) -> float:
    begun = time.monotonic()
    holder.hosted.signal(signal.SIGKILL)
    holder.hosted.wait()
    time.sleep(contest.random.uniform(0.0, 1.0) * TTL)
    holder.start()
    return begun


def _guard_killed(contest: Contest, holder: Contender) -> float:
    begun = time.monotonic()
    guard = holder.guard()
    if guard is not None:
        os.kill(guard, signal.SIGKILL)
    return begun


def _guard_stopped(contest: Contest, holder: Contender) -> float:
    begun, guard = time.monotonic(), holder.guard()
    if guard is not None:
        os.kill(guard, signal.SIGSTOP)
        time.sleep(contest.random.uniform(0.3, 2.0) * TTL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(guard, signal.SIGCONT)
    return begun


def _child_killed(contest: Contest, holder: Contender) -> float:
    begun = time.monotonic()
    running = [
        life.pid for life in contest.history() if life.name == holder.name and life.end > begun - FRESH
    ]
    if running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(contest.random.choice(running), signal.SIGKILL)
    return begun


def _stopped(contest: Contest, holder: Contender) -> float:
    begun = time.monotonic()
    assert holder.hosted.end() == 0, holder.hosted.told()
    time.sleep(contest.random.uniform(0.3, 0.6))
    holder.start()
    return begun


def _stopped_while_cut(contest: Contest, holder: Contender) -> float:
    """Stop the holder's procwrap while nothing that it says arrives."""
    begun = time.monotonic()
    holder.wire.up = holder.wire.down = False
    holder.hosted.signal(signal.SIGSTOP)
    time.sleep(contest.random.uniform(0.3, 2.0) * TTL)
    holder.hosted.signal(signal.SIGCONT)
    time.sleep(contest.random.uniform(0.0, 0.5) * TTL)
    holder.wire.heal()
    return begun


FAULTS: dict[str, Callable[[Contest, Contender], float]] = {
    "server stopped": _server_stopped,
    "server killed": _server_killed,
    "all cut both ways": _for_a_while("up", "down", value=False, everybody=True),
    "holder cut both ways": _for_a_while("up", "down", value=False),
    "holder's words lost": _for_a_while("up", value=False),
    "answers to the holder lost": _for_a_while("down", value=False),
    "holder refused": _for_a_while("refuses", value=True),
    "answers late": _late,
    "keepalive answered late": _keepalive_late,
    "connections cut": _cut,
    "connections half closed": _half_closed,
    "holder stopped": _holder_stopped,
    "holder killed": _holder_killed,
    "guard killed": _guard_killed,
    "guard stopped": _guard_stopped,
    "process killed": _child_killed,
    "stopped": _stopped,
    "holder stopped while cut": _stopped_while_cut,
}
