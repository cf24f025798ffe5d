"""Part of the composition root: the lock server (``--shared-lock``), from its settings to an open socket."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable
from typing import Any

from attrs import define, frozen
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.threads import deferToThreadPool
from twisted.logger import globalLogBeginner
from twisted.python.threadpool import ThreadPool

from procwrap.config import units
from procwrap.core.events import Level
from procwrap.errors import ProcwrapError
from procwrap.interfaces import ILeaseStore
from procwrap.lock.server import LockServer
from procwrap.lockroutes import make_lock_site
from procwrap.outputs import Outputs, make_outputs
from procwrap.spec.lockserving import LockServing
from procwrap.spec.plan import Plan, Settings
from procwrap.web.limits import Limits
from procwrap.web.listening import Bound, bind

MOST_CONNECTIONS = 20_000
OTHER_DESCRIPTORS = 200
"""Descriptors for everything but clients' connections."""
LAST_SECONDS = 3.0
"""How long the end may take."""


@define(eq=False)
class LockHost:
    """A lock server that runs."""

    _reactor: Any
    _outputs: Outputs
    _store: ILeaseStore
    _server: LockServer
    _bound: Bound

    def serve(self) -> None:
        """Answer from now on."""
        limits = Limits(connections=_most_connections())
        self._bound.serve(make_lock_site(self._server, self._store, self._reactor, limits, self._report))
        self._outputs.own.say(Level.INFO, f"the lock server listens on {self._bound.where}")

    def stop(self) -> Deferred[Any]:
        """Let nobody wait any more, close everything; what is not done in time stays undone."""
        self._server.queue.stop()
        ended = DeferredList([self._bound.stop(), self._store.close()], consumeErrors=True)
        ended.addTimeout(LAST_SECONDS, self._reactor).addErrback(lambda _: None)
        return ended.addCallback(lambda _: self._outputs.flush())

    def _report(self, text: str) -> None:
        self._outputs.own.say(Level.ERROR, text)


@frozen
class Log:
    """What the lock server says, as records on stdout."""

    outputs: Outputs

    def begin(self) -> None:
        """Take Twisted's log over, where nobody else does."""
        globalLogBeginner.beginLoggingTo([self.outputs.own], redirectStandardIO=False, discardBuffer=True)


def make_log(settings: Settings, reactor: Any) -> Log:
    """Build the log of a lock server."""
    return Log(make_outputs(Plan(processes=()), settings, reactor.callFromThread, time.time))


def prepare(asked: LockServing, log: Log, reactor: Any) -> LockHost:
    """Build a lock server and let it listen; it answers when the reactor runs, and ends with it.

    Raises:
        UsageError: a setting is impossible.
        CannotStartError: the socket or the file cannot be had.
    """
    # Twisted's own is the wall clock, which jumps.
    reactor.seconds = time.monotonic
    wall = time.time
    bound = _bind(asked.socket, reactor)
    if asked.etcd is None:
        store = _embedded(asked, reactor, wall)
    else:
        from procwrap.locketcd import make_etcd_store

        store = make_etcd_store(asked.etcd, reactor, wall, _new_id)
    host = LockHost(reactor, log.outputs, store, LockServer(store, reactor, units.duration), bound)
    reactor.callWhenRunning(host.serve)
    reactor.addSystemEventTrigger("before", "shutdown", host.stop)
    return host


def _bind(where: str, reactor: Any) -> Bound:
    try:
        return bind(where, reactor)
    except ProcwrapError as error:
        # The web floor knows its own variable only.
        raise type(error)(str(error).replace("HEALTH_SOCKET", "SHARED_LEASE_SOCKET")) from None


def _new_id() -> int:
    return random.SystemRandom().randrange(1, 2**63)


def _embedded(asked: LockServing, reactor: Any, wall: Callable[[], float]) -> ILeaseStore:
    from procwrap.lock.stores.journal import Journal
    from procwrap.lock.stores.sqlite import SqliteStore

    one_thread = ThreadPool(1, 1, "leases")
    one_thread.start()
    reactor.addSystemEventTrigger("after", "shutdown", one_thread.stop)
    journal = Journal(asked.store, lambda work: deferToThreadPool(reactor, one_thread, work))
    store = SqliteStore(journal, reactor, wall, _new_id, asked.longest_ttl)
    try:
        store.open()
    except BaseException:
        one_thread.stop()
        raise
    return store


def _most_connections() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + OTHER_DESCRIPTORS
    if 0 <= soft < wanted:
        soft = wanted if hard < 0 else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft < 0 else max(1, min(MOST_CONNECTIONS, soft - OTHER_DESCRIPTORS))
