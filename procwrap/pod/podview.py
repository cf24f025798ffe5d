"""A Pod as the API server describes it, and of all that what matters here.

What it sends is foreign: whatever has another type than it should have counts as absent.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from procwrap.core.oneline import one_line

DEFAULT_GRACE = 30.0
LONGEST_GRACE = 24 * 3600.0
"""Seconds; nobody waits for longer, whatever a Pod says."""
LONGEST_WORD = 120
"""Characters of a reason, such as ``ImagePullBackOff``, that are shown."""


class Kind(enum.Enum):
    """What a container is in the life of its Pod."""

    MAIN = "main"
    SIDECAR = "sidecar"  # an init container with restartPolicy Always: it runs beside the main ones
    INIT = "init"  # it has to end before any main one begins


@frozen
class Exit:
    """How a container has ended."""

    code: int
    reason: str = ""


@frozen
class Container:
    """One container.

    Attributes:
        begun: it runs, or has ended.
        ready: it passes its readiness probe, or runs if it has none; an init container: it is done.
        ended: how, if it does not run any more.
        is_over: it has ended and is never started again.
        id: as its runtime calls it, such as ``containerd://4f5e…``; empty before its first start.
        doing: what it does, for people.
    """

    name: str
    kind: Kind
    begun: bool = False
    ready: bool = False
    ended: Exit | None = None
    is_over: bool = False
    id: str = ""
    doing: str = "not started"

    def __str__(self) -> str:
        return f"{self.name} ({self.doing})"


@frozen
class PodView:
    """A Pod.

    Attributes:
        containers: the init containers first, each kind in the order of the Pod.
        grace: seconds that its containers get for their end.
        restart_policy: of the Pod.
    """

    name: str
    uid: str
    containers: tuple[Container, ...]
    grace: float = DEFAULT_GRACE
    restart_policy: str = "Always"

    def container(self, name: str) -> Container | None:
        """Return the container of this name."""
        return next((found for found in self.containers if found.name == name), None)


def read_pod(pod: object) -> PodView:
    """Read a Pod out of its JSON."""
    metadata, spec, status = (_mapping(_mapping(pod).get(key)) for key in ("metadata", "spec", "status"))
    policy = _text(spec.get("restartPolicy")) or "Always"
    return PodView(
        name=_text(metadata.get("name")),
        uid=_text(metadata.get("uid")),
        containers=(
            *_containers(spec.get("initContainers"), status.get("initContainerStatuses"), policy, init=True),
            *_containers(spec.get("containers"), status.get("containerStatuses"), policy, init=False),
        ),
        grace=_grace(spec.get("terminationGracePeriodSeconds")),
        restart_policy=policy,
    )


def _containers(specs: object, statuses: object, policy: str, *, init: bool) -> Iterator[Container]:
    found = {_text(status.get("name")): status for status in _mappings(statuses)}
    for spec in _mappings(specs):
        name = _text(spec.get("name"))
        if not name:
            continue
        own_policy = _text(spec.get("restartPolicy"))
        kind = Kind.MAIN if not init else Kind.SIDECAR if own_policy == "Always" else Kind.INIT
        # Since Kubernetes 1.34 a container may have rules of its own, which nobody can foresee from here.
        ruled = bool(spec.get("restartPolicyRules"))
        yield _container(name, kind, found.get(name, {}), "" if ruled else own_policy or policy)


def _container(name: str, kind: Kind, status: Mapping[str, Any], policy: str) -> Container:
    state = _mapping(status.get("state"))
    ended = _exit(state.get("terminated"))
    return Container(
        name=name,
        kind=kind,
        begun="running" in state or ended is not None,
        ready=status.get("ready") is True,
        ended=ended,
        is_over=ended is not None and _never_again(policy, ended),
        id=_text(status.get("containerID")),
        doing=_doing(state, ended, ready=status.get("ready") is True),
    )


def _never_again(policy: str, ended: Exit) -> bool:
    return policy == "Never" or (policy == "OnFailure" and ended.code == 0)


def _doing(state: Mapping[str, Any], ended: Exit | None, *, ready: bool) -> str:
    if ended is not None:
        return f"terminated with exit code {ended.code}"
    if "running" in state:
        return "ready" if ready else "not ready"
    reason = _text(_mapping(state.get("waiting")).get("reason"))
    return one_line(reason, LONGEST_WORD) if reason else "not started"


def _exit(terminated: object) -> Exit | None:
    if not isinstance(terminated, Mapping):
        return None
    code = terminated.get("exitCode")
    # The API leaves no zero out; one that has no code has not ended well.
    return Exit(code if isinstance(code, int) else 1, _text(terminated.get("reason")))


def _grace(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
        return DEFAULT_GRACE
    return min(float(seconds), LONGEST_GRACE)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
