"""The guarantee itself, under whatever order of events: never two at once."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from attrs import define
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from procwrap.lock.lease import Granted
from procwrap.lock.queue import Queue
from tests.support.leases import World, wanted

LONGEST = 4.0
LONG = bool(os.environ.get("PROCWRAP_LONG"))


@define(eq=False)
class Holder:
    """A client that counts from when it sent what was granted, as all do."""

    lease: int
    ttl: float
    token: int
    sent: float

    def may_run(self, now: float) -> bool:
        """Whether its process may still be alive."""
        return now < self.sent + self.ttl


class Contention(RuleBasedStateMachine):
    """Clients of one lock, and everything that can happen to its server."""

    memory = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = ":memory:" if self.memory else str(Path(self.folder.name) / "leases")
        self.world = World(path, longest=LONGEST)
        self.queue = Queue(self.world.store, self.world.clock)
        self.holders: list[Holder] = []
        self.names = 0

    @property
    def now(self) -> float:
        """The time of everybody."""
        return self.world.clock.seconds()

    @rule(ttl=st.sampled_from([1.0, 2.0, 2.0, 60.0]), wait=st.sampled_from([0.0, 0.0, 3.0]))
    def ask(self, ttl: float, wait: float) -> None:
        """A client asks; the answer comes when it comes."""
        self.names += 1
        sent = self.now
        asked = self.queue.ask(wanted(value=f"pod-{self.names}", ttl=ttl, wait=wait))
        asked.addCallbacks(self.answered, lambda _: None, (sent, wait))

    def answered(self, answer: Any, sent: float, wait: float) -> None:
        """A client got its answer."""
        if isinstance(answer, Granted):
            # Who waited sends a keepalive first, which cannot fail in the same moment.
            began = self.now if wait else sent
            self.holders.append(Holder(answer.lease, answer.ttl, answer.token, began))

    @rule()
    def ask_for_two_seconds(self) -> None:
        """As most do."""
        self.ask(2.0, 0.0)

    @precondition(lambda self: self.holders)
    @rule()
    def keep(self) -> None:
        """The latest holder sends a keepalive, perhaps too late."""
        holder = self.holders[-1]
        if holder.may_run(self.now):
            sent = self.now
            kept = self.world.store.keep(holder.lease)
            kept.addCallback(lambda ttl: setattr(holder, "sent", sent) if ttl else self.lost(holder))

    def lost(self, holder: Holder) -> None:
        """A client that is told 204 kills its process."""
        holder.sent = -1e9

    @precondition(lambda self: self.holders)
    @rule()
    def release(self) -> None:
        """The latest holder ends its process, then gives the lock back."""
        holder = self.holders[-1]
        self.lost(holder)
        self.world.store.release(holder.lease)

    @rule(seconds=st.sampled_from([0.5, 1.0, 1.9, 4.1]))
    def wait(self, seconds: float) -> None:
        """Time goes by."""
        self.world.clock.pump([0, seconds, 0])

    @rule(state=st.sampled_from(["good", "good", "good", "slow", "full"]))
    def disk(self, state: str) -> None:
        """The disk hangs, does what it was asked for, or fails."""
        disk = self.world.disk
        disk.slow = state == "slow"
        disk.broken = sqlite3.OperationalError("disk full") if state == "full" else None
        if not disk.slow:
            disk.go_on()
        self.world.clock.pump([0, 0])

    @rule()
    def crash(self) -> None:
        """The server is killed and starts again."""
        self.world.restart()
        self.queue = Queue(self.world.store, self.world.clock)

    @invariant()
    def never_two(self) -> None:
        """No two processes run at the same time, and a later one has a larger token."""
        running = [holder for holder in self.holders if holder.may_run(self.now)]
        assert len(running) <= 1
        tokens = [holder.token for holder in self.holders]
        assert self.memory or tokens == sorted(set(tokens))

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.world.crash()
        self.folder.cleanup()


class ContentionInMemory(Contention):
    """The same without a file."""

    memory = True


TestFile = Contention.TestCase
TestFile.settings = settings(max_examples=500 if LONG else 100, stateful_step_count=30)
TestMemory = ContentionInMemory.TestCase
TestMemory.settings = settings(max_examples=2000 if LONG else 100, stateful_step_count=30)
