"""What follows from the state of a Pod's containers for the one that we run in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from procwrap.pod.podview import Container, Kind, PodView


def needed(pod: PodView, own: str) -> Sequence[Container]:
    """Return the containers that have to be ready before our processes start: all others.

    Native sidecars are among them; init containers are done when a main one begins. To one of these, and to a
    native sidecar, only the native sidecars before it count: the others begin after it.
    """
    found: list[Container] = []
    for container in pod.containers:
        if container.name == own:
            if container.kind is not Kind.MAIN:
                return found
        elif container.kind is not Kind.INIT:
            found.append(container)
    return found


def unready(containers: Iterable[Container]) -> list[Container]:
    """Return those that are not ready."""
    return [container for container in containers if not container.ready]


def lost(containers: Iterable[Container]) -> list[Container]:
    """Return those that have ended and will never be ready (any more)."""
    return [container for container in containers if container.is_over and not container.ready]


def completed(pod: PodView, own: str) -> Container | None:
    """Return another main container that has done its work, if there is one.

    Native sidecars and init containers do not count: the one sort ends only after all main containers, the
    other before any of them begins.
    """
    for container in pod.containers:
        if container.kind is not Kind.MAIN or container.name == own or container.ended is None:
            continue
        if container.ended.code == 0 and container.ended.reason == "Completed":
            return container
    return None


def outliving(pod: PodView, own: str) -> list[Container]:
    """Return the containers whose end a main container may wait for: the other main ones that have not ended.

    The kubelet ends native sidecars itself, and only after all main containers have ended: whoever waited for
    them would wait in a circle. An init container or a sidecar waits for nobody.
    """
    ours = pod.container(own)
    if ours is None or ours.kind is not Kind.MAIN:
        return []
    return [
        container
        for container in pod.containers
        if container.kind is Kind.MAIN and container.name != own and container.ended is None
    ]
