from __future__ import annotations

from pathlib import Path

import pytest

from procwrap.errors import ExitStatus, UsageError
from procwrap.pod.pidspace import INITIAL, machine_seen, refuse_machine


def proc(home: Path, own: int, first: str, second: str = "", namespace: str = "pid:[4026532178]") -> str:
    """A procfs in which there are PID 1, PID 2 and we."""
    for pid, comm in ((1, first), (2, second), (own, "procwrap")):
        (home / str(pid)).mkdir(exist_ok=True)
        if comm:
            (home / str(pid) / "comm").write_text(comm + "\n")
    (home / str(own) / "ns").mkdir()
    (home / str(own) / "ns/pid").symlink_to(namespace)
    (home / "self").symlink_to(str(own))
    return str(home)


@pytest.mark.parametrize(
    ("own", "first", "second"), [(7, "pause", ""), (1, "init", ""), (7, "tini", "nginx")]
)
def test_a_pod(tmp_path: Path, own: int, first: str, second: str) -> None:
    """The pause process, an init of a container, or ourselves, whatever we are called."""
    assert machine_seen(own, proc(tmp_path, own, first, second)) == ""
    refuse_machine(own, str(tmp_path))


@pytest.mark.parametrize(
    ("first", "second", "namespace", "sign"),
    [
        ("pause", "", INITIAL, "it is the first one of the kernel"),
        ("systemd", "", "pid:[1]", "its PID 1 is systemd"),
        ("init", "", "pid:[1]", "its PID 1 is init"),
        ("other", "kthreadd", "pid:[1]", "it has kthreadd in it"),
    ],
)
def test_a_machine(tmp_path: Path, first: str, second: str, namespace: str, sign: str) -> None:
    """Each sign is enough, and what follows is exit code 2."""
    where = proc(tmp_path, 7, first, second, namespace)
    with pytest.raises(UsageError) as caught:
        refuse_machine(7, where)
    assert f"the PID namespace is the host's ({sign})" in str(caught.value)
    assert caught.value.exit_status == ExitStatus.USAGE


def test_what_cannot_be_known(tmp_path: Path) -> None:
    """No procfs, or that of another namespace, counts as a machine."""
    assert "cannot be found out" in machine_seen(7, str(tmp_path))
    assert "another one" in machine_seen(8, proc(tmp_path, 7, "pause"))


def test_where_we_are(tmp_path: Path) -> None:
    """The real procfs can be read, whatever it says."""
    import os

    assert "cannot be found out" not in machine_seen(os.getpid())
