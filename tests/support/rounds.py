"""Rounds of probes back to back, and what they leave behind; a program, so that it measures nothing else.

Reads one JSON object from its stdin: ``rounds``, ``baseline`` (so many come before the first measurement) and
``variants``, a mapping of names to ``readiness`` (as in a config), ``environment``, ``port``, and ``part``
(one in so many rounds). Writes a JSON object: for each name ``before`` and ``after`` (what Left has), and
``rounds``, ``succeeded`` and ``reasons``.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import time
from collections.abc import Generator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, frozen
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater

from procwrap.core.notifications import Notified
from procwrap.interfaces import IProbe
from procwrap.probes.http import make_client
from procwrap.probes.kinds import build
from procwrap.probes.look import look_at_all
from tests.support.configs import process_of
from tests.support.probes import context
from tests.support.realprobes import command_runner
from tests.support.servers.rabbitmq import connections_to

reactor: Any = the_reactor
Steps = Generator[Deferred[Any], Any, Any]

SETTLED, MOST = 0.1, 2.0
"""Seconds without a change after which all is as it will stay; and at most so many."""
COLLECTED = 200
"""Rounds after which garbage is collected. Python does it too, but so seldom here that the heap of a probe
that fails, whose tracebacks are circles, takes some 30,000 rounds (and 3 MiB) to find its size."""
NOT_EVERY = 50
"""Rounds after which the reactor gets its turn, when they never wait for anything."""


@frozen
class Left:
    """What there is at one moment.

    Attributes:
        files: descriptors that are open.
        threads: of this process.
        calls: that the reactor has planned.
        objects: that the garbage collector knows.
        memory: resident KiB.
        connections: that the server has.
    """

    files: int
    threads: int
    calls: int
    objects: int
    memory: int
    connections: int


def now_left(port: int) -> Left:
    """Count; memory that the allocator has in reserve, now more and now less of it, goes back first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return Left(
        files=len(os.listdir("/proc/self/fd")),
        threads=int(status["Threads"]),
        calls=len(reactor.getDelayedCalls()),
        objects=len(gc.get_objects()),
        memory=int(status["VmRSS"].split()[0]),
        connections=connections_to({port}) if port else 0,
    )


@inlineCallbacks
def settled(port: int) -> Steps:
    """Wait until nothing changes any more, then count."""
    began = changed = time.monotonic()
    seen: tuple[int, ...] = ()
    while time.monotonic() - changed < SETTLED and time.monotonic() - began < MOST:
        yield deferLater(reactor, 0.02)
        connections = connections_to({port}) if port else 0
        now = (len(os.listdir("/proc/self/fd")), len(reactor.getDelayedCalls()), connections)
        if now != seen:
            seen, changed = now, time.monotonic()
    return now_left(port)


@cache
def shared_client() -> Any:
    """Return the client of all http probes, as procwrap has one."""
    return make_client(reactor)


@cache
def shared_runner() -> Any:
    """Return what runs the commands of all exec probes."""
    return command_runner(reactor, lambda _: None)


def probe_of(variant: Mapping[str, Any]) -> IProbe:
    """Build the probe of a variant; its process has said that it is ready, unless told otherwise."""
    check = process_of(f"readiness: {json.dumps(variant['readiness'])}").readiness
    assert check is not None
    said = Notified(ready_at=reactor.seconds()) if variant.get("ready", True) else Notified()
    lent = context(
        reactor,
        environment=variant.get("environment", {}),
        http=shared_client,
        last_heartbeat=reactor.seconds() if variant.get("ready", True) else None,
        starts=(0.0,) * 100_000 if not variant.get("ready", True) else (0.0,),
        notified=lambda: said,
    )
    return build(check.probes[0], evolve(lent, runner=shared_runner()))


@inlineCallbacks
def run(variant: Mapping[str, Any], rounds: int, baseline: int) -> Steps:
    """Run all rounds of a variant."""
    port, succeeded, reasons, before = variant.get("port", 0), 0, set[str](), None
    probe = probe_of(variant)
    began = time.monotonic()
    for number in range(rounds):
        if number == baseline:
            before = yield settled(port)
        if number % NOT_EVERY == 0:
            yield deferLater(reactor, 0)
        if number % COLLECTED == 0:
            gc.collect()
        (result,) = yield look_at_all([probe], reactor)
        succeeded += result.succeeded
        if len(reasons) < 5:
            reasons.add(result.reason)
    after = yield settled(port)
    probe.close()
    return {
        "before": asdict(before),
        "after": asdict(after),
        "rounds": rounds,
        "succeeded": succeeded,
        "reasons": sorted(reasons - {""}),
        "seconds": round(time.monotonic() - began, 3),
    }


@inlineCallbacks
def main() -> Steps:
    """Do what stdin says."""
    try:
        asked = json.load(sys.stdin)
        found = {}
        for name, variant in asked["variants"].items():
            part = variant.get("part", 1)
            found[name] = yield run(variant, asked["rounds"] // part, asked["baseline"] // part)
        sys.stdout.write(json.dumps(found))
    finally:
        reactor.stop()


if __name__ == "__main__":
    reactor.callWhenRunning(main)
    reactor.run()
