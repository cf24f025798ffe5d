from __future__ import annotations

import pytest

from procwrap.spec.process import PromTarget
from tests.support.configs import messages_of, plan_of, process_of


def test_a_url() -> None:
    """Where a process shows its metrics; most have none."""
    target = PromTarget("http://localhost:8080/metrics?x=1")
    assert process_of("promTarget: 'http://localhost:8080/metrics?x=1'").prom_target == target
    assert process_of("args: []").prom_target is None


def test_go_writes_localhost_so() -> None:
    """A URL without a host is that of this machine."""
    assert process_of("promTarget: 'http://:8080/'").prom_target == PromTarget("http://localhost:8080/")


def test_a_login_becomes_a_header() -> None:
    """User and password leave the URL, and neither is ever shown."""
    target = process_of("promTarget: 'https://me:s3cr%40t@localhost/metrics?token=t0ken'").prom_target
    assert target == PromTarget(
        "https://localhost/metrics?token=t0ken", (("Authorization", "Basic bWU6czNjckB0"),)
    )
    assert not any(secret in repr(target) for secret in ("s3cr", "bWU6", "t0ken"))


def test_replicas_keep_it() -> None:
    """Each replica has the target of the process."""
    plan = plan_of("[{name: a, entrypoint: b, replicas: 2, promTarget: 'http://h/m'}]")
    assert [process.prom_target for process in plan.processes] == [PromTarget("http://h/m")] * 2


@pytest.mark.parametrize("value", ["8080", "ftp://h/secret", "http://", "'http://h:x/secret'", "{a: b}"])
def test_mistakes(value: str) -> None:
    """What is no URL is told, and not shown."""
    [line] = messages_of(f"promTarget: {value}")
    assert line.startswith("promTarget: expected ")
    assert "secret" not in line
