from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from procwrap.pod.ours import Ours, Traces, read_traces
from procwrap.pod.podview import PodView
from tests.support.pods import view

ID = "4f" * 32
OTHER = "5e" * 32
CGROUP = f"0::/kubepods.slice/kubepods-pod5a7e_1.slice/cri-containerd-{ID}.scope\n"
MOUNT = (
    "1713 1700 259:1 /var/lib/kubelet/pods/{uid}/containers/proxy/1f5a /dev/termination-log rw - ext4 x rw\n"
)


def with_ids(pod: PodView, **ids: str) -> PodView:
    known = (evolve(found, id=ids.get(found.name, "")) for found in pod.containers)
    return evolve(pod, containers=tuple(known))


def own(pod: PodView, named: str = "", perhaps: str = "", traces: Traces | None = None) -> str:
    return Ours(named, perhaps, traces or Traces(), lambda text: None).name(pod)


RUNNING = view(ready=("main", "proxy"))


def test_the_name_that_was_given() -> None:
    """CONTAINER_NAME before everything, KUBEXIT_NAME before what the kernel says."""
    traces = Traces(mountinfo=MOUNT.format(uid="5a7e-1"))
    assert own(RUNNING, named="main", perhaps="proxy", traces=traces) == "main"
    assert own(RUNNING, perhaps="main", traces=traces) == "main"


def test_a_name_that_the_pod_does_not_know() -> None:
    """It is said once, and the others count; that of a tombstone need not be that of a container."""
    told: list[str] = []
    ours = Ours("typo", "tombstone", Traces(), told.append)
    assert [ours.name(RUNNING), ours.name(RUNNING)] == ["main", "main"]
    assert told == ["CONTAINER_NAME: the Pod has no container typo, only main, proxy"]


@pytest.mark.parametrize("runtime", ["containerd", "docker", "cri-o"])
def test_the_id_in_our_cgroup(runtime: str) -> None:
    """It is the one that the runtime has given to the container."""
    pod = with_ids(RUNNING, main=f"{runtime}://{OTHER}", proxy=f"{runtime}://{ID}")
    assert own(pod, traces=Traces(CGROUP)) == "proxy"


def test_the_mount_of_the_termination_log() -> None:
    """In a cgroup namespace our cgroup is only /; a mount shows the directory that the kubelet has for us."""
    assert own(RUNNING, traces=Traces("0::/\n", MOUNT.format(uid="5a7e-1"))) == "proxy"
    assert own(RUNNING, traces=Traces("0::/\n", MOUNT.format(uid="other"))) == "main"


def test_the_first_one() -> None:
    """Nothing is known: the first main container."""
    assert own(view("main", "proxy", sidecars=("log",), init=("prepare",))) == "main"


def test_too_early() -> None:
    """As long as the kubelet has not told of all that began, ours may be one of the rest: better wait."""
    pod = with_ids(view(), main=f"containerd://{OTHER}")
    assert own(pod, traces=Traces(CGROUP)) == ""
    assert own(
        with_ids(RUNNING, main=f"containerd://{OTHER}", proxy=f"containerd://{ID}"), traces=Traces(CGROUP)
    )


def test_no_ids_at_all() -> None:
    """A server that tells no ids makes nobody wait."""
    assert own(view(), traces=Traces(CGROUP)) == "main"


def test_no_such_container() -> None:
    """A Pod without containers, as only a liar sends it."""
    assert own(PodView("job-1", "u", ())) == ""


def test_traces(tmp_path: Path) -> None:
    """What cannot be read is empty; here something can."""
    (tmp_path / "cgroup").write_bytes(b"0::/\xff\n")
    assert read_traces(tmp_path) == Traces("0::/\ufffd\n", "")
    assert read_traces().mountinfo
