from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from procwrap.core.events import Level
from procwrap.pod.strangers import Strangers, send

OWN = 30


class World:
    """A procfs with a few processes in it, and signals that go nowhere."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.sent: list[int] = []
        self.refuse: dict[int, OSError] = {}
        self.before: Callable[[int], None] = lambda pid: None
        (home / "self").symlink_to(str(OWN))
        (home / "meminfo").touch()
        self.add(1, 0, "pause", "/pause")
        self.add(20, 0, "sh", "/bin/dash")
        self.add(OWN, 20, "procwrap", "/usr/bin/python3.11")
        self.add(31, OWN, "guard", "/usr/bin/python3.11")
        self.add(40, 0, "pilot-agent", "/usr/local/bin/pilot-agent (deleted)")
        self.add(41, 40, "envoy", "/usr/local/bin/envoy")
        self.add(50, 0, "sidecar.py) R 1", "/usr/bin/python3.11")

    def add(self, pid: int, parent: int, comm: str, executable: str = "", state: str = "S") -> None:
        """Add a process, whose executable may be unknown."""
        (self.home / str(pid)).mkdir()
        (self.home / str(pid) / "stat").write_text(f"{pid} ({comm}) {state} {parent} 1 1 0")
        if executable:
            (self.home / str(pid) / "exe").symlink_to(executable)

    def remove(self, pid: int) -> None:
        """End a process."""
        (self.home / str(pid) / "stat").unlink()

    def send(self, pid: int, still_meant: Callable[[], bool]) -> None:
        self.before(pid)
        if pid in self.refuse:
            raise self.refuse[pid]
        if still_meant():
            self.sent.append(pid)

    @property
    def strangers(self) -> Strangers:
        """Those we may end."""
        return Strangers(OWN, str(self.home), self.send)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A Pod that shares its processes."""
    return World(tmp_path)


@pytest.mark.parametrize(
    ("names", "pids"),
    [
        (["envoy"], [41]),
        (["pilot-agent", "envoy"], [40, 41]),
        (["sidecar.py) R 1"], [50]),
        (["python3.11"], [31, 50]),
        (["dash", "sh", "procwrap", "pause"], []),
        (["env", "Envoy", "/usr/local/bin/envoy", ""], []),
    ],
)
def test_by_name(world: World, names: list[str], pids: list[int]) -> None:
    """By the file or by what the kernel calls it, in whole; never ourselves, who started us, or PID 1."""
    world.strangers.end_named(names)
    assert world.sent == pids


def test_a_long_name(world: World) -> None:
    """The kernel cuts names: that counts only where it is all that is known."""
    world.add(60, 0, "very-long-sidec", "/bin/very-long-sidecar-agent")
    world.add(61, 0, "very-long-sidec", "/bin/very-long-sidecar-other")
    world.add(62, 0, "very-long-sidec")
    world.strangers.end_named(["very-long-sidecar-agent"])
    assert world.sent == [60, 62]


def test_what_is_said(world: World) -> None:
    """Whom it was sent to, who could not be reached, and that nobody was meant."""
    world.refuse = {40: PermissionError(1, "Operation not permitted"), 50: ProcessLookupError()}
    world.add(70, 0, "z\x1b", state="Z")
    lines = world.strangers.end_named(["envoy", "pilot-agent", "python3.11", "nobody", "pause", "z\x1b"])
    assert lines == [
        (Level.INFO, "sent SIGTERM to envoy (41)"),
        (Level.WARNING, "cannot end pilot-agent (40): Operation not permitted"),
        (Level.INFO, "sent SIGTERM to python3.11 (31)"),
        (Level.DEBUG, "python3.11 (50) has ended already"),
        (Level.WARNING, "nothing to end: no process is called nobody"),
        (Level.WARNING, "nothing to end: no process is called pause but ourselves, or PID 1"),
        (Level.WARNING, "nothing to end: no process is called z\x1b"),
    ]


def test_all(world: World) -> None:
    """Everybody but PID 1, ourselves, who started us and what we started."""
    world.strangers.end_all()
    assert world.sent == [40, 41, 50]


def test_a_pid_that_becomes_anothers(world: World) -> None:
    """Who has its pid by the time of the signal does not get it."""

    def replace(pid: int) -> None:
        (world.home / str(pid) / "stat").write_text(f"{pid} (innocent) S 0")

    world.before = replace
    world.strangers.end_all()
    assert world.sent == []


def test_who_ends_meanwhile(world: World) -> None:
    """A process that is gone while we look is nobody."""
    world.remove(41)
    world.strangers.end_all()
    assert world.sent == [40, 50]


def test_the_procfs_of_another_namespace(world: World) -> None:
    """Its pids are not ours to use."""
    with pytest.raises(RuntimeError, match="another PID namespace"):
        Strangers(OWN + 1, str(world.home), world.send).end_all()
    assert world.sent == []


def test_really_sent() -> None:
    """A process of ours gets SIGTERM, unless it is not meant any more; one that is gone is an error."""
    for meant, code in ((False, 0), (True, -signal.SIGTERM)):
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as cat:
            send(cat.pid, lambda meant=meant: meant)  # type: ignore[misc]
            if meant:
                cat.wait(30)
        assert cat.returncode == code
    with pytest.raises(ProcessLookupError):
        send(cat.pid, lambda: True)
