"""Which of the Pod's containers is the one that we run in."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from attrs import define, frozen

from procwrap.core.oneline import one_line
from procwrap.pod.podview import Kind, PodView

MOST_BYTES = 1024 * 1024

_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32,64}(?![0-9a-f])")
_DIRECTORY = re.compile(r"/pods/([0-9a-zA-Z-]+)/containers/([^/\s]+)/")
"""The kubelet mounts /dev/termination-log from a directory with this in its path."""


@frozen
class Traces:
    """What the kernel says about the container around us.

    Attributes:
        cgroup: the text of /proc/self/cgroup; in a cgroup namespace, as is usual today, it tells nothing.
        mountinfo: the text of /proc/self/mountinfo.
    """

    cgroup: str = ""
    mountinfo: str = ""


def read_traces(proc: Path = Path("/proc/self")) -> Traces:
    """Read them; what cannot be read is empty."""
    return Traces(_read(proc / "cgroup"), _read(proc / "mountinfo"))


@define(eq=False)
class Ours:
    """Finds our own container.

    Args:
        named: the name that it was given; counts if the Pod has a container of this name.
        perhaps: another name that counts if the Pod has one of it.
        traces: of it, in what the kernel says.
        warn: takes a line.
    """

    _named: str
    _perhaps: str
    _traces: Traces
    _warn: Callable[[str], None]
    _warned: bool = False

    def name(self, pod: PodView) -> str:
        """Return its name; empty as long as the Pod does not say enough to tell it from the others."""
        if self._named and pod.container(self._named) is None:
            self._miss(pod)
        for name in (self._named, self._perhaps):
            if name and pod.container(name) is not None:
                return name
        ids = set(_ID.findall(self._traces.cgroup))
        found = _by_id(pod, ids) or _by_mount(pod, self._traces.mountinfo)
        return found or ("" if ids and _is_late(pod) else _first(pod))

    def _miss(self, pod: PodView) -> None:
        if not self._warned:
            self._warned = True
            names = ", ".join(container.name for container in pod.containers)
            self._warn(f"CONTAINER_NAME: the Pod has no container {self._named}, only {one_line(names)}")


def _by_id(pod: PodView, ids: set[str]) -> str:
    return next((found.name for found in pod.containers if found.id.rpartition("//")[2] in ids), "")


def _is_late(pod: PodView) -> bool:
    """Return whether we may be one of those of which is not told yet that they have begun.

    The kubelet tells the API server of a container, with its id, a moment after its start.
    """
    tells_ids = all(container.id for container in pod.containers if container.begun)
    return tells_ids and not all(container.begun for container in pod.containers)


def _by_mount(pod: PodView, mountinfo: str) -> str:
    for uid, name in _DIRECTORY.findall(mountinfo):
        if uid == pod.uid and pod.container(name) is not None:
            return str(name)
    return ""


def _first(pod: PodView) -> str:
    return next((found.name for found in pod.containers if found.kind is Kind.MAIN), "")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
