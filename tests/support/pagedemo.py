"""A host as people meet it: some processes are fine, some are not; for pictures and for looking at them."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from typing import Any

from tests.support.pageserver import PageServer, check, shown, stamp

MEBIBYTE = 1 << 20
REFUSED = "amqp 10.4.0.17:5672: connection refused, expected to connect"
SAID = (
    ("info", "request done method=GET path=/api/orders/4711 status=200 took=12ms"),
    ("info", "consumed 32 messages"),
    ("warning", "amqp: channel closed by peer, code=320, trying again"),
    ("error", "cannot publish: connection refused (10.4.0.17:5672)"),
    ("debug", "pool: 7 of 20 connections in use"),
    ("info", "heartbeat sent"),
)


def usage(cpu: float, mebibytes: float) -> dict[str, Any]:
    """Return what a process uses now."""
    memory = int(mebibytes * MEBIBYTE)
    return {"cpu": cpu, "memoryBytes": memory, "processes": 3, "threads": 14, "openFiles": 61}


def ended(reason: str, ago: float, code: int | None = None, signal: str | None = None) -> dict[str, Any]:
    """Return how a process ended."""
    return {"lastExit": {"code": code, "signal": signal, "reason": reason}, "lastExitAt": stamp(ago)}


def past(chance: random.Random, now: dict[str, Any] | None, samples: int = 120) -> list[list[float]]:
    """Return ten minutes of usage that end near what is used now."""
    if now is None:
        return []
    cpu, memory, kept = now["cpu"], now["memoryBytes"] * 0.8, []
    for number in range(samples):
        cpu = max(0.002, cpu + chance.uniform(-0.2, 0.2) * now["cpu"] + (now["cpu"] - cpu) * 0.2)
        memory += (now["memoryBytes"] - memory) * 0.03 + chance.uniform(-0.01, 0.01) * memory
        kept.append([5.0 * (samples - number), round(cpu, 4), int(memory)])
    return kept


def rounds(chance: random.Random, failed: Collection[int], count: int = 60) -> list[list[Any]]:
    """Return rounds of a check, some of which have failed."""
    return [[10.0 * (count - n), n not in failed, chance.uniform(0.002, 0.006)] for n in range(count)]


def spoken(name: str) -> Iterator[list[str]]:
    """Yield the records of a process as procwrap writes them."""
    yield [
        f'time="{stamp(60 - n / 2)[:23]}Z" level={level} msg="{text}" name={name} '
        f"out={'stderr' if level == 'error' else 'stdout'} pid=4711 team=orders"
        for n in range(120)
        for level, text in [SAID[(n * 7 + n // 5) % 6]]
    ]


def processes() -> list[dict[str, Any]]:
    """Return one of each kind of trouble, among those who are fine."""
    beat = {"readiness": check(heartBeat="30s")}
    http = {"readiness": check(http="127.0.0.1:8080/ready"), "liveness": check(http="127.0.0.1:8080/live")}
    refused = {
        "readiness": check(False, REFUSED, 2, amqp="10.4.0.17:5672"),
        "liveness": check(heartBeat="30s"),
    }
    missing = {"readiness": check(False, "http://127.0.0.1:9187/metrics: 503", 0, http="127.0.0.1:9187")}
    crashed = ended("exit code 3", 14, code=3)
    return [
        shown("proxy", usage=usage(0.042, 48), uptime=98e3, checks={"liveness": check(tcp="127.0.0.1:9901")}),
        shown(
            "web",
            usage=usage(0.318, 212),
            memoryLimitBytes=512 * MEBIBYTE,
            restarts=1,
            restartsBy={"exit": 1},
            **ended("exit code 1", 81e3, code=1),
            checks=http,
            dependsOn=["postgres", "redis"],
            uptime=81e3,
        ),
        shown("worker-1", usage=usage(0.94, 388), checks=beat, dependsOn=["web"]),
        shown(
            "worker-2",
            "unhealthy",
            reason=REFUSED,
            usage=usage(0.02, 361),
            restarts=2,
            restartsBy={"probe": 2},
            **ended("killed by SIGTERM", 754, signal="SIGTERM"),
            checks=refused,
            dependsOn=["web"],
            uptime=752.0,
        ),
        shown("worker-3", usage=usage(0.71, 402), checks=beat, dependsOn=["web"]),
        shown("scheduler", "standby", reason="web-7d9f8b6c5-k8vq2 holds the lock"),
        shown("mailer", "backoff", reason="exit code 3", restarts=5, restartsBy={"exit": 5}, **crashed),
        shown(
            "postgres",
            usage=usage(0.12, 640),
            memoryLimitBytes=1024 * MEBIBYTE,
            uptime=98e3,
            checks={"readiness": check(sql="postgresql://127.0.0.1/app")},
        ),
        shown(
            "redis", usage=usage(0.018, 22.4), uptime=98e3, checks={"liveness": check(tcp="127.0.0.1:6379")}
        ),
        shown(
            "exporter", "starting", reason="http://127.0.0.1:9187/metrics: 503", uptime=3.0, checks=missing
        ),
        shown("migrate", "exited", healthy=True, **ended("exit code 0", 97_800, code=0)),
        shown("debug-shell", "stopped", reason="stopped by an operator"),
    ]


def demo() -> PageServer:
    """Build the host."""
    chance = random.Random(4)
    listed = processes()
    happened = ("probe failed", "stopping", "ended", "restarting", "started", "unhealthy")
    history = {
        one["name"]: {
            "usage": past(chance, one["usage"]),
            "rounds": {
                name: rounds(chance, () if last["healthy"] else (57, 58, 59))
                for name, last in one["checks"].items()
            },
        }
        for one in listed
    }
    return PageServer(
        processes={one["name"]: one for one in listed},
        history=history,
        host={"healthy": False},
        log=spoken,
        events=[
            {
                "time": stamp(760 - 40 * n),
                "event": event,
                "process": "worker-2",
                "reason": REFUSED if n % 5 == 0 else "",
            }
            for n, event in enumerate(happened)
        ],
    )
