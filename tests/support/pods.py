"""Pods as the API server describes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from procwrap.pod.podview import PodView, read_pod

RUNNING = {"running": {"startedAt": "2026-11-21T20:00:00Z"}}
STARTING = {"waiting": {"reason": "ContainerCreating"}}


def terminated(code: int = 0, reason: str | None = None) -> dict[str, Any]:
    """Return the state of a container that has ended."""
    said = reason if reason is not None else "Completed" if code == 0 else "Error"
    return {"terminated": {"exitCode": code, "reason": said}}


def make_pod(
    containers: Sequence[str] = ("main", "proxy"),
    *,
    sidecars: Sequence[str] = (),
    init: Sequence[str] = (),
    name: str = "job-1",
    policy: str = "Never",
    uid: str = "5a7e-1",
    grace: int = 30,
) -> dict[str, Any]:
    """Return a Pod whose containers all begin: the first one runs, the others are being created.

    Args:
        containers: the main ones.
        sidecars: init containers with ``restartPolicy: Always``.
        init: other init containers, which are done.
        name: of the Pod.
        policy: its restartPolicy.
        uid: its own.
        grace: seconds.
    """
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": "1"},
        "spec": {
            "restartPolicy": policy,
            "terminationGracePeriodSeconds": grace,
            "initContainers": [
                *({"name": each, "image": "i"} for each in init),
                *({"name": each, "image": "i", "restartPolicy": "Always"} for each in sidecars),
            ],
            "containers": [{"name": each, "image": "i"} for each in containers],
        },
        "status": {
            "phase": "Running",
            "initContainerStatuses": [
                *({"name": each, "ready": True, "state": terminated()} for each in init),
                *({"name": each, "ready": False, "state": STARTING} for each in sidecars),
            ],
            "containerStatuses": [
                {"name": each, "ready": not number, "state": RUNNING if not number else STARTING}
                for number, each in enumerate(containers)
            ],
        },
    }


def put(pod: dict[str, Any], container: str, state: dict[str, Any], *, ready: bool = False) -> dict[str, Any]:
    """Put one container of a Pod into a state; return the Pod."""
    for kind in ("initContainerStatuses", "containerStatuses"):
        for status in pod["status"][kind]:
            if status["name"] == container:
                status |= {"state": state, "ready": ready}
    return pod


def view(
    *containers: str, states: dict[str, dict[str, Any]] | None = None, ready: Sequence[str] = (), **about: Any
) -> PodView:
    """Return what is seen of such a Pod.

    Args:
        containers: the main ones.
        states: of some containers.
        ready: containers that run and are ready.
        about: further arguments of ``make_pod``.
    """
    pod = make_pod(containers or ("main", "proxy"), **about)
    for name, state in (states or {}).items():
        put(pod, name, state)
    for name in ready:
        put(pod, name, RUNNING, ready=True)
    return read_pod(pod)
