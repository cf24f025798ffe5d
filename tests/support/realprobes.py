"""Probes on a real reactor, for tests against real servers."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Generator
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from procwrap.children.commands import CommandRunner
from procwrap.children.executor import Executor
from procwrap.children.launcher import HeadStart, Launcher
from procwrap.children.reaper import Reaper
from procwrap.core.events import ProbeResult
from procwrap.interfaces import IProbe
from procwrap.probes.http import make_client
from procwrap.probes.kinds import build
from procwrap.probes.look import look_at_all
from procwrap.probes.watch import Watch
from procwrap.spec.probe import Check, HttpProbe, Probe
from procwrap.spec.process import ProcessSpec
from tests.support.peers import Peer, reactor
from tests.support.probes import context

Steps = Generator[Deferred[Any], Any, None]

TOLERANCE = 0.5
"""Seconds around its timeout in which a probe fails beside other tests; test_silent_servers is strict."""


def sockets_open() -> int:
    """How many sockets this process has open; the reactor opens pipes of its own when it likes."""
    return sum(link.startswith("socket:") for link in map(target, os.listdir("/proc/self/fd")))


def target(fd: str) -> str:
    """What a descriptor leads to; nothing when it is the one the directory was read with."""
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except FileNotFoundError:
        return ""


def command_runner(reactor: Any, cleanup: Callable[[Callable[[], object]], object]) -> CommandRunner:
    """The real runner of commands, which hears of their ends as soon as the kernel tells it."""
    reaper = Reaper(reactor)

    def listen() -> None:
        before = signal.signal(signal.SIGCHLD, lambda *_: reactor.callFromThread(reaper.reap))
        cleanup(lambda: signal.signal(signal.SIGCHLD, before))
        reaper.reap()

    # When it starts running, Twisted takes the signal for itself.
    reactor.callWhenRunning(listen)
    launcher = Launcher({}, lambda _: (), reactor.seconds)
    cleanup(launcher.close)
    head_start = HeadStart(launcher, reactor.seconds)
    executor = Executor(reactor, reaper, launcher, head_start, lambda *_: {}, lambda _: lambda: None)
    return CommandRunner(executor, ProcessSpec("api", "/bin/true"), lambda: {"PATH": "/bin:/usr/bin"})


class RealProbes(TestCase):
    """Probes on the reactor; trial itself fails a test that leaves a timer or a socket behind."""

    timeout = 60

    def setUp(self) -> None:
        client = make_client(reactor)
        self.context = context(reactor, http=lambda: client)

    def peer(self, says: bytes | None, **settings: Any) -> Peer:
        """A server that lives until the end of the test."""
        made = Peer(says, **settings)
        self.addCleanup(made.stop)
        return made

    def build(self, spec: Probe) -> IProbe:
        return build(spec, self.context)

    def http(self, port: int, *, timeout: float = 2.0, scheme: str = "http") -> IProbe:
        return self.build(HttpProbe(f"{scheme}://127.0.0.1:{port}/ready", timeout=timeout))

    def look(self, *probes: IProbe) -> Deferred[tuple[ProbeResult, ...]]:
        """One round."""
        return look_at_all(probes, reactor)

    def watch(self, spec: Probe, period: float) -> list[tuple[float, ProbeResult]]:
        """Run rounds until the end of the test; returns the list in which they are collected."""
        ended: list[tuple[float, ProbeResult]] = []

        check = Check((spec,), period=period)
        watch = Watch(
            check, self.build, reactor, lambda results: ended.append((time.monotonic(), results[0]))
        )
        watch.start(0.0)
        self.addCleanup(watch.stop)
        return ended

    @staticmethod
    def wait(seconds: float) -> Deferred[None]:
        return deferLater(reactor, seconds)

    @inlineCallbacks
    def until(self, seen: Callable[[], object], seconds: float = 10.0) -> Steps:
        """Wait until something is so."""
        deadline = time.monotonic() + seconds
        while not seen():
            self.assertLess(time.monotonic(), deadline)
            yield self.wait(0.01)
