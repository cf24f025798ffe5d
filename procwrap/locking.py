"""Part of the composition root: shared locks, imported only where a process has one."""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList

from procwrap.children.group import send_to_group
from procwrap.children.launch import Command, launch
from procwrap.config import variables
from procwrap.coordinating import Ties
from procwrap.core.events import Event, Spawned
from procwrap.core.snapshot import Snapshot
from procwrap.core.timestamp import rfc3339
from procwrap.lock import wire
from procwrap.lock.guarding import Guarding
from procwrap.lock.leases import Holder, Leases
from procwrap.lock.permit import LockPermit, Surroundings
from procwrap.posting import make_post
from procwrap.probes.aside import Asides
from procwrap.spec.lock import LockSpec
from procwrap.spec.process import Attributes, ProcessSpec

GUARD = Path(__file__).parent / "lock" / "guard.py"
RELEASE_WITHIN = 1.5
"""Seconds that the end of everything waits for locks to be given back."""


@define(eq=False)
class Locking:
    """Everybody who has a lock, and the guard that they share."""

    _ties: Ties
    _asides: Asides = field(init=False)
    _around: Surroundings = field(init=False)
    permits: dict[str, LockPermit] = field(init=False, factory=dict)
    _locks: dict[str, LockSpec] = field(init=False, factory=dict)
    _former: list[Deferred[None]] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        """Build what all locks share."""
        ties = self._ties
        self._asides = Asides(ties.reactor)
        self._around = Surroundings(
            Guarding(ties.reactor, execute_guard, boot_time),
            ties.reactor,
            boot_time,
            random.random,
            lambda: os.urandom(16).hex(),
            ties.board.tell,
            lambda name, reason: ties.fleet().children[name].lose(reason),
            lambda group: send_to_group(group, signal.SIGKILL),
            lambda group: send_to_group(group, 0),
        )

    def begin(self) -> None:
        """Give the locks back at the end."""
        self._ties.board.watch(self._watch)
        self._ties.shutdown().do_after(self._end)

    def admit(self, spec: ProcessSpec) -> None:
        """Build a permit for a process that has a lock, and have it tell the guard who it is."""
        if self._locks.get(spec.name) == spec.lock:
            return
        self.forget(spec.name)
        if spec.lock is not None:
            permit = LockPermit(spec.name, self._leases(spec.name, spec.lock), self._around)
            self.permits[spec.name], self._locks[spec.name] = permit, spec.lock
            self._ties.launcher.do_last(spec.name, ("the shared lock", permit.begin_run))

    def forget(self, name: str) -> None:
        """Take no lock for this process any more; one that it has had may still be on its way back."""
        permit = self.permits.pop(name, None)
        if permit is not None:
            del self._locks[name]
            self._ties.launcher.forget(name)
            self._former = [over for over in (*self._former, permit.over) if not over.called]

    def _watch(self, _: Snapshot, event: Event) -> None:
        if isinstance(event, Spawned) and (permit := self.permits.get(event.name)) is not None:
            permit.begun(event.pid)

    def _end(self) -> Deferred[None]:
        reactor = self._ties.reactor
        over = DeferredList([*self._former, *(permit.over for permit in self.permits.values())])
        ended: Deferred[None] = Deferred(lambda _: done())

        def done(_: object = None) -> None:
            if timer.active():
                timer.cancel()
            self._around.guarding.stop()
            if not ended.called:
                ended.callback(None)

        timer = reactor.callLater(RELEASE_WITHIN, done)
        over.addCallback(done)
        return ended

    def _leases(self, name: str, lock: LockSpec) -> Leases:
        ties = self._ties
        url = ties.settings.shared_lock_url
        about = dict(ties.settings.event_labels.fixed)
        value = about.get("pod") or socket.gethostname()
        labels = {key: about[key] for key in ("namespace", "node") if about.get(key)}
        return Leases(
            Holder(name, lock.ttl, value, labels),
            urlsplit(url).netloc.rpartition("@")[2],
            _post_to(url, ties.reactor, self._asides),
            ties.reactor,
            lambda: rfc3339(ties.wall()),
        )


def _post_to(url: str, reactor: Any, asides: Asides) -> Callable[..., Deferred[Any]]:
    posts = {
        path: make_post(url + path, reactor, asides) for path in (wire.LEASE, wire.KEEPALIVE, wire.RELEASE)
    }
    return lambda path, body, headers: posts[path](body, headers)


def boot_time() -> float:
    """Return seconds of a clock that goes on while the machine is suspended, as the guard's does."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def execute_guard(channel: int) -> int:
    """Execute the guard in a session of its own, with this descriptor as its standard input.

    Returns:
        Its pid. The reaper takes it for an orphan.
    """
    # Nothing of the environment matters to it but how the interpreter finds its libraries.
    command = Command(
        sys.executable or "python3",
        ("-I", "-S", str(GUARD)),
        variables.environ(),
        attributes=Attributes(setsid=True),
    )
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        return launch(command, channel, null, null)
    finally:
        os.close(null)
