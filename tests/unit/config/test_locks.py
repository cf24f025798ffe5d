from __future__ import annotations

import pytest

from procwrap.config import arguments, environment, settings
from procwrap.errors import UsageError
from procwrap.spec.lock import DEFAULT_URL, LockSpec
from procwrap.spec.plan import Given, Plan, Settings
from procwrap.spec.probe import LockProbe
from procwrap.tls import needs_tls
from tests.support.configs import messages_of, plan_of, process_of


@pytest.mark.parametrize(
    ("keys", "ttl"),
    [
        ("lock: ", 2.0),
        ("lock: {}", 2.0),
        ("lock: {ttlDuration: 10s}", 10.0),
        ("lock: {ttlDuration: 24h}", 86400.0),
    ],
)
def test_a_lock(keys: str, ttl: float) -> None:
    """The process needs it before it starts, so it gets no head start."""
    process = process_of(f"readiness: {{{keys}}}")
    assert process.readiness is not None
    assert process.readiness.probes == (LockProbe(ttl),)
    assert (process.lock, process.needs_permit) == (LockSpec(ttl), True)


def test_without_a_lock() -> None:
    """Nothing is needed."""
    process = process_of("readiness: {file: {path: /x}}")
    assert (process.lock, process.needs_permit) == (None, False)


def test_a_lock_alone_is_looked_at_often() -> None:
    """From the beginning, every third of its TTL; beside other probes, and when asked for, as those are."""
    alone = process_of("readiness: {lock: {ttlDuration: 3s}}").readiness
    beside = process_of("readiness: {lock: {}, file: {path: /x}}").readiness
    asked = process_of("readiness: {lock: {}, delay: 1s, period: 7s}").readiness
    assert alone is not None
    assert beside is not None
    assert asked is not None
    assert (alone.delay, alone.period) == (0.0, 1.0)
    assert (beside.delay, beside.period) == (5.0, 5.0)
    assert (asked.delay, asked.period) == (1.0, 7.0)


def test_each_replica_has_its_own() -> None:
    """The lock is called as the replica is."""
    plan = plan_of("[{name: a, entrypoint: run, replicas: 2, readiness: {lock: {}}}]")
    assert [(spec.name, spec.lock) for spec in plan.processes] == [
        ("a_0", LockSpec(2.0)),
        ("a_1", LockSpec(2.0)),
    ]


MISPLACED = "a lock stands in readiness: it is taken before the process starts, and kept"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("liveness: {lock: {}}", f"liveness.lock: {MISPLACED}"),
        ("startup: {lock: }", f"startup.lock: {MISPLACED}"),
        ("readiness: {lock: {ttlDuration: 2}}", "expected a duration such as 10s or 1m30s"),
        ("readiness: {lock: {ttlDuration: 99ms}}", 'expected at least 100ms, got "99ms"'),
        ("readiness: {lock: {ttlDuration: 25h}}", 'expected at most 24h, got "25h"'),
        ("readiness: {lock: {ttl: 2s}}", "readiness.lock.ttl: unknown key: expected one of ttlDuration"),
        ("readiness: {lock: 2s}", "readiness.lock: expected a mapping, got text"),
    ],
)
def test_wrong_locks(keys: str, message: str) -> None:
    """Each mistake is told at its place."""
    assert message in messages_of(keys)[0]


def test_where_the_server_is() -> None:
    """The command line goes before the environment; neither: on this machine."""
    env = environment.parse({"PROCWRAP_SHARED_LOCK_URL": "https://user:pw@lock:8191/base/"})
    argv = arguments.parse(["-shared-lock-url=http://:9000"]).given
    plan = Plan(())
    assert settings.resolve(Given(), Given(), plan).shared_lock_url == DEFAULT_URL
    assert settings.resolve(Given(), env, plan).shared_lock_url == "https://user:pw@lock:8191/base"
    assert settings.resolve(argv, env, plan).shared_lock_url == "http://localhost:9000"


def test_its_password_is_never_shown() -> None:
    """Neither by the settings nor by an error."""
    assert "pw" not in repr(Settings(shared_lock_url="http://u:pw@lock"))
    with pytest.raises(UsageError) as caught:
        arguments.parse(["--shared-lock-url", "http://u:pw@lock:port/"])
    assert "--shared-lock-url: expected a URL such as http://localhost:8191" in str(caught.value)
    assert "pw" not in str(caught.value)


def test_tls_is_paid_for_where_it_is_needed() -> None:
    """Only where a process has a lock and its server speaks TLS."""
    locked = plan_of("[{name: a, entrypoint: run, readiness: {lock: {}}}]")
    bare = plan_of("[{name: a, entrypoint: run}]")
    assert needs_tls(locked, Settings(shared_lock_url="https://lock"))
    assert not needs_tls(locked, Settings())
    assert not needs_tls(bare, Settings(shared_lock_url="https://lock"))
