"""Three pods whose processes have something to show, and a Prometheus that watches them for some minutes."""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.support.dashboard import RULES
from tests.support.hosted import Hosted, free_port
from tests.support.servers.prometheus import Prometheus, Scraped
from tests.support.servers.targets import Target, answering

ACTOR = Path(__file__).with_name("actor.py")
LASTS = 250.0
"""Seconds; what follows are moments of that time."""
CURTAIN = 14.0
"""Before, everything is busy with starting, and rates look at nothing."""
SECOND_ENTERS = 50.0
LOCKS_HANG, LOCKS_GO_ON = 95.0, 101.0
PREEMPTED = 225.0

OFTEN = {"delay": "0s", "period": "1s", "restartOnFailure": False}


@frozen
class Pod:
    """One procwrap; ``enters`` is when it begins."""

    name: str
    plan: dict[str, Any]
    port: int
    enters: float = 0.0


@frozen
class Seen:
    """What Prometheus has seen from ``start`` to ``end``, in seconds since the epoch."""

    prometheus: Prometheus
    start: float
    end: float


def act(role: str, *words: str, **settings: Any) -> dict[str, Any]:
    """Return the config of a process that plays a role."""
    return {"name": role, "entrypoint": sys.executable, "args": ["-u", str(ACTOR), role, *words], **settings}


def api(events: int, shift: int, growth: float) -> dict[str, Any]:
    """Return what serves the visitors; of all workers one works at a time."""
    port = free_port()
    page = f"http://127.0.0.1:{port}/"
    return {
        "processes": [
            act("web", str(port), readiness={"http": {"url": page}, **OFTEN}, promTarget=page),
            act("worker", str(shift), readiness={"lock": {"ttlDuration": "3s"}}),
            act("cache", str(growth), memoryLimitMB=96, restartBackoff={"initial": "2s"}),
        ],
        "events": {"udp": f"127.0.0.1:{events}"},
    }


def jobs(home: Path, events: int) -> dict[str, Any]:
    """Return what nobody visits, and what does not go so well."""
    folder = home / "archive"
    # Seven seconds of 28 it does not answer, the last ones of the run among them.
    script = "test $(( ($(date +%s) - ${SCENE_BEGAN%.*}) / 7 % 4 )) -ne 3"
    flaps = {"exec": {"command": {"entrypoint": "sh", "args": ["-c", script]}}, **OFTEN}
    nothing = f"http://127.0.0.1:{free_port()}/"
    return {
        "processes": [
            act("importer", restartBackoff={"initial": "1s", "max": "20s"}),
            act("archive", str(folder), logFile={"path": str(folder / "log")}, promTarget=nothing),
            {"name": "mailer", "entrypoint": "sleep", "args": ["600"], "readiness": flaps},
        ],
        "events": {"udp": f"127.0.0.1:{events}"},
    }


def metadata(start: float, client: socket.socket, head: bytes) -> None:
    """Answer as Google's metadata server does: near the end the machine of ``api-1`` is taken away."""
    taken = b"/api-1" in head and time.time() - start > PREEMPTED
    body = b"TRUE" if taken else b"FALSE"
    answering(body, more=f"Metadata-Flavor: Google\r\nETag: {body.decode()}\r\n")(client, head)


def wait_for(moment: float, start: float) -> None:
    """Wait until it is that many seconds since the start."""
    time.sleep(max(0.0, start + moment - time.time()))


@contextmanager
def played(home: Path) -> Iterator[Seen]:
    """Play it all; the Prometheus can be asked until the end of the context."""
    with ExitStack() as stack:
        takes = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        takes.bind(("127.0.0.1", 0))
        reached, unreached = takes.getsockname()[1], free_port()
        pods = [
            Pod("api-0", api(reached, 0, 1.1), free_port()),
            Pod("jobs-0", jobs(home, unreached), free_port()),
            Pod("api-1", api(reached, 30, 0.7), free_port(), SECOND_ENTERS),
        ]
        for name in ("prometheus", "locks", *(pod.name for pod in pods)):
            (home / name).mkdir()
        scraped = [Scraped(pod.port, pod.name) for pod in pods]
        scraped += [Scraped(pod.port, pod.name, "/prommerge", job="procwrap-processes") for pod in pods]
        prometheus = stack.enter_context(Prometheus(home / "prometheus", scraped, RULES, "1s"))
        start = time.time()
        _play(stack, home, pods, start)
        yield Seen(prometheus, start + CURTAIN, time.time())


def _play(stack: ExitStack, home: Path, pods: list[Pod], start: float) -> None:
    """Do what happens, in its time."""
    port = free_port()
    served = {"SHARED_LEASE_SOCKET": f"127.0.0.1:{port}"}
    locks = stack.enter_context(Hosted(home / "locks", None, ("--shared-lock",), served))
    machine = stack.enter_context(Target(partial(metadata, start)))
    options = ("--http", "on", "--shared-lock-url", f"http://127.0.0.1:{port}")
    hosts = []
    for pod in pods:
        wait_for(pod.enters, start)
        environment = {
            "SCENE_BEGAN": str(start),
            "HEALTH_SOCKET": f"127.0.0.1:{pod.port}",
            "HANDLE_PREEMPTION": "TRUE",
            "METADATA_URL": f"http://127.0.0.1:{machine.port}/{pod.name}",
        }
        hosts.append(stack.enter_context(Hosted(home / pod.name, pod.plan, options, environment)))
    wait_for(LOCKS_HANG, start)
    locks.signal(signal.SIGSTOP)
    wait_for(LOCKS_GO_ON, start)
    locks.signal(signal.SIGCONT)
    wait_for(LASTS, start)
    for hosted in [*hosts, locks]:
        assert hosted.process.poll() is None, hosted.told()
