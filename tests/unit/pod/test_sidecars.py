from __future__ import annotations

from collections.abc import Iterable

import pytest

from procwrap.pod.podview import Container
from procwrap.pod.sidecars import completed, lost, needed, outliving, unready
from tests.support.pods import terminated, view


def names(containers: Iterable[Container]) -> list[str]:
    return [container.name for container in containers]


def test_all_others_are_needed() -> None:
    """Native sidecars, too, but no init container: that is done."""
    pod = view("main", "proxy", "cache", sidecars=("log",), init=("prepare",))
    assert names(needed(pod, "proxy")) == ["log", "main", "cache"]


@pytest.mark.parametrize(("own", "before"), [("prepare", []), ("log", []), ("mesh", ["log"])])
def test_what_begins_after_us_is_not_needed(own: str, before: list[str]) -> None:
    """In an init container or a native sidecar it would never come: only what begins before counts."""
    pod = view("main", sidecars=("log", "mesh"), init=("prepare",))
    assert names(needed(pod, own)) == before


def test_unready() -> None:
    """Who is waited for."""
    pod = view("main", "proxy", "cache", ready=("cache",))
    assert names(unready(needed(pod, "main"))) == ["proxy"]


@pytest.mark.parametrize(("policy", "code", "gone"), [("Never", 0, True), ("OnFailure", 1, False)])
def test_lost(policy: str, code: int, gone: bool) -> None:
    """Who has ended and is not restarted is never waited for."""
    pod = view(policy=policy, states={"proxy": terminated(code)})
    assert names(lost(needed(pod, "main"))) == (["proxy"] if gone else [])


@pytest.mark.parametrize(
    ("states", "found"),
    [
        ({"proxy": terminated(0)}, "proxy"),
        ({"proxy": terminated(1)}, None),
        ({"proxy": terminated(0, "OOMKilled")}, None),
        ({"proxy": terminated(0, "")}, None),
        ({"main": terminated(0)}, None),
        ({"log": terminated(0)}, None),
        ({"proxy": {"running": {}}}, None),
    ],
)
def test_completed(states: dict[str, dict[str, object]], found: str | None) -> None:
    """Another main container with exit code 0 and the reason Completed; no init container: each ends so."""
    pod = view("main", "proxy", sidecars=("log",), init=("prepare",), states=states)
    container = completed(pod, "main")
    assert (container.name if container is not None else None) == found


def test_outliving() -> None:
    """Nobody waits for native sidecars, which the kubelet ends only when all main containers are gone."""
    pod = view("main", "proxy", "cache", sidecars=("log",), states={"proxy": terminated(143)}, ready=("log",))
    assert names(outliving(pod, "main")) == ["cache"]


@pytest.mark.parametrize("own", ["log", "prepare", "unknown"])
def test_who_waits_for_nobody(own: str) -> None:
    """An init container ends before the others begin, a sidecar after they have ended."""
    pod = view("main", sidecars=("log",), init=("prepare",))
    assert outliving(pod, own) == []
