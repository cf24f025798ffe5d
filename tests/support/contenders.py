"""Clients that want one lock, each in a thread, and the history of who had it when."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Sequence
from itertools import pairwise

from attrs import define, field

from tests.support.lockhost import LockClient, Said

TTL = 1.0
LEASE, KEEPALIVE = "/lease", "/keepalive"


@define
class Tenure:
    """One time in which somebody had the lock: monotonic seconds."""

    who: str
    token: int
    begin: float
    end: float


@define(eq=False)
class Contenders:
    """They ask, hold for a while, give back or vanish, and begin again, until ``stop``.

    A client counts its TTL from when it sent what was answered, and believes in nothing else. So its tenure
    ends, by its own clock, at the latest when that TTL is over.

    Args:
        ports: of the servers; each contender goes from one to the next when one fails.
        key: the lock.
    """

    ports: Sequence[int]
    key: str = "contended"
    tenures: list[Tenure] = field(factory=list)
    _threads: list[threading.Thread] = field(factory=list)
    _over: threading.Event = field(factory=threading.Event)

    def start(self, count: int = 4) -> Contenders:
        """Let so many of them begin."""
        for number in range(count):
            thread = threading.Thread(target=self._contend, args=(f"pod-{number}", random.Random(number)))
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self) -> None:
        """Let them end, and wait for it."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def holds_since(self, moment: float) -> bool:
        """Whether somebody got the lock after a moment."""
        return any(tenure.begin > moment for tenure in tuple(self.tenures))

    def check(self) -> None:
        """Assert that no two of them ever had it at once, and that tokens only grow."""
        ordered = sorted(self.tenures, key=lambda tenure: tenure.begin)
        for earlier, later in pairwise(ordered):
            assert earlier.end <= later.begin, f"two at once: {earlier} and {later}"
            assert earlier.token < later.token, f"the token did not grow: {earlier} and {later}"

    def _contend(self, who: str, chance: random.Random) -> None:
        turn = chance.randrange(len(self.ports))
        while not self._over.is_set():
            server = LockClient(self.ports[turn % len(self.ports)], patience=TTL / 2)
            sent = time.monotonic()
            said = _asked(server, LEASE, self.key, who)
            if said is not None and said.code == 201:
                self._hold(server, said, sent, who, chance)
            else:
                turn += said is None or said.code == 503
                time.sleep(0.05)

    def _hold(self, server: LockClient, said: Said, sent: float, who: str, chance: random.Random) -> None:
        now = time.monotonic()
        tenure = Tenure(who, said.token, now, sent + said.ttl)
        if now >= tenure.end:
            return
        self.tenures.append(tenure)
        until = now + chance.uniform(0.1, 3 * TTL)
        while time.monotonic() < min(until, tenure.end - TTL / 3) and not self._over.is_set():
            time.sleep(TTL / 5)
            sent = time.monotonic()
            kept = _asked(server, KEEPALIVE, said.body, who)
            if kept is not None and kept.code == 200 and time.monotonic() < tenure.end:
                tenure.end = sent + kept.ttl
            elif kept is not None and kept.code == 204:
                break
        if chance.random() < 0.6 and time.monotonic() < tenure.end:
            # Properly: first the end of the process, then the release. Else it vanishes.
            tenure.end = time.monotonic()
            _asked(server, "/release", said.body, who)


def _asked(server: LockClient, path: str, what: str, who: str) -> Said | None:
    try:
        if path == LEASE:
            return server.lease(what, who, f"{TTL}s")
        return server.ask("POST", path, what.encode())
    except (OSError, http.client.HTTPException):
        return None
