from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.pod.podview import Exit, Kind, PodView, read_pod
from tests.support.pods import STARTING, make_pod, put, terminated, view

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_a_pod() -> None:
    """Each container with its kind, and what it does."""
    pod = read_pod(make_pod(("main", "proxy"), sidecars=("log",), init=("prepare",), grace=45))
    assert [(found.name, found.kind, str(found)) for found in pod.containers] == [
        ("prepare", Kind.INIT, "prepare (terminated with exit code 0)"),
        ("log", Kind.SIDECAR, "log (ContainerCreating)"),
        ("main", Kind.MAIN, "main (ready)"),
        ("proxy", Kind.MAIN, "proxy (ContainerCreating)"),
    ]
    assert (pod.name, pod.uid, pod.grace, pod.restart_policy) == ("job-1", "5a7e-1", 45.0, "Never")


@pytest.mark.parametrize(
    ("policy", "code", "over"),
    [
        ("Never", 0, True),
        ("Never", 1, True),
        ("OnFailure", 0, True),
        ("OnFailure", 1, False),
        ("Always", 0, False),
    ],
)
def test_over_or_restarted(policy: str, code: int, over: bool) -> None:
    """The Pod's policy says whether an end is the last word."""
    container = view(states={"proxy": terminated(code)}, policy=policy).containers[1]
    assert (container.ended, container.is_over) == (Exit(code, "Error" if code else "Completed"), over)


def test_a_native_sidecar_is_always_restarted() -> None:
    """Its own policy counts, not that of the Pod."""
    pod = view(sidecars=("log",), states={"log": terminated(1)}, policy="Never")
    assert not pod.containers[0].is_over


def test_a_container_with_its_own_policy() -> None:
    """Since Kubernetes 1.34 a main container may have one, or rules that nobody can foresee."""
    pod = put(make_pod(policy="Always"), "proxy", terminated(1))
    pod["spec"]["containers"][1]["restartPolicy"] = "Never"
    ruled = put(make_pod(policy="Never"), "proxy", terminated(1))
    ruled["spec"]["containers"][1]["restartPolicyRules"] = [{"action": "Restart"}]
    assert [read_pod(each).containers[1].is_over for each in (pod, ruled)] == [True, False]


def test_running_is_not_ready() -> None:
    """A container whose readiness probe fails runs, and that is said."""
    container = view(states={"proxy": {"running": {}}}).containers[1]
    assert (container.ready, container.begun, container.doing) == (False, True, "not ready")


def test_a_container_without_a_status() -> None:
    """The kubelet has told nothing about it yet."""
    pod = make_pod()
    pod["status"] = {"phase": "Pending"}
    assert [str(found) for found in read_pod(pod).containers] == ["main (not started)", "proxy (not started)"]


def test_a_reason_is_one_short_line() -> None:
    """What the API server sends ends up in the log."""
    container = view(states={"proxy": {"waiting": {"reason": "a\nb" + "x" * 500}}}).containers[1]
    assert container.doing.startswith("a b")
    assert len(container.doing) < 130


@pytest.mark.parametrize("seconds", [None, "30", -1, True, float("nan"), [1]])
def test_a_grace_that_is_none(seconds: Any) -> None:
    """It has its default, 30 s."""
    pod = make_pod()
    pod["spec"]["terminationGracePeriodSeconds"] = seconds
    assert read_pod(pod).grace == 30.0


@given(JSON)
def test_anything_is_a_pod(anything: object) -> None:
    """Whatever a server sends: a Pod comes out of it, mostly an empty one."""
    assert isinstance(read_pod(anything), PodView)


@given(JSON, st.sampled_from(["metadata", "spec", "status"]))
def test_anything_in_a_pod(anything: object, key: str) -> None:
    """The same for each of its parts."""
    pod = make_pod()
    pod[key] = anything
    read_pod(pod)
    pod = make_pod()
    pod["status"]["containerStatuses"][0]["state"] = anything
    pod["spec"]["containers"][1]["name"] = anything
    assert read_pod(pod).name == "job-1"


def test_a_state_that_changes() -> None:
    """Two views differ when something that matters does."""
    assert view() == view()
    assert view() != view(states={"main": STARTING})
