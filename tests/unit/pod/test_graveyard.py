from __future__ import annotations

import os
from pathlib import Path

import pytest

from procwrap.pod.graveyard import carve, pod_started, prepare, visit
from procwrap.pod.tombstone import LARGEST, Tombstone


def test_carved_and_read(tmp_path: Path) -> None:
    """The graveyard is made where there is none; nothing else is left in it."""
    yard = tmp_path / "a" / "graveyard"
    prepare(str(yard))
    for stone in (Tombstone(1.0), Tombstone(1.0, 2.0, 3)):
        carve(str(yard), "web", stone)
        assert visit(str(yard), ["web", "api"]) == {"web": stone}
    assert os.listdir(yard) == ["web"]


def test_who_reads_meanwhile_sees_all_or_nothing(tmp_path: Path) -> None:
    """The file is replaced, never written to."""
    carve(str(tmp_path), "web", Tombstone(1.0))
    with open(tmp_path / "web", encoding="ascii") as reading:
        carve(str(tmp_path), "web", Tombstone(1.0, 2.0, 3))
        assert "Died" not in reading.read()


def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    """Somebody's link in a shared directory does not make us overwrite another file."""
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="ascii")
    (tmp_path / f".web.procwrap-{os.getpid()}").symlink_to(victim)
    (tmp_path / "web").symlink_to(victim)
    carve(str(tmp_path), "web", Tombstone(1.0))
    assert victim.read_text(encoding="ascii") == "mine"
    assert visit(str(tmp_path), ["web"]) == {"web": Tombstone(1.0)}


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """The name is a directory: an error, and no unfinished file."""
    (tmp_path / "web").mkdir()
    with pytest.raises(OSError, match="directory"):
        carve(str(tmp_path), "web", Tombstone(1.0))
    assert os.listdir(tmp_path) == ["web"]


def test_what_is_no_tombstone_is_left_out(tmp_path: Path) -> None:
    """A directory, a pipe that nobody writes to; of a huge file only the beginning is read."""
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_text("\n" * LARGEST + "Died: 2026-11-21T22:03:04Z\n", encoding="ascii")
    assert visit(str(tmp_path), ["directory", "pipe", "huge", "missing"]) == {"huge": Tombstone()}


def _root(tmp_path: Path, mountinfo: str) -> str:
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "proc/self/mountinfo").write_text(mountinfo, encoding="ascii")
    (tmp_path / "proc/stat").write_text("cpu 1 2\nbtime 1700000000\n", encoding="ascii")
    (tmp_path / "etc/hostname").write_text("web-1\n", encoding="ascii")
    os.utime(tmp_path / "etc/hostname", (1_800_000_000, 1_800_000_000))
    return str(tmp_path)


def test_the_start_of_the_pod(tmp_path: Path) -> None:
    """In a container the runtime wrote /etc/hostname when the Pod was started."""
    line = "612 600 8:1 /sandboxes/1/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n"
    assert pod_started(_root(tmp_path, line)) == 1_800_000_000


def test_the_start_of_the_node(tmp_path: Path) -> None:
    """Elsewhere nothing older than the machine counts; where that is unknown, everything does."""
    assert pod_started(_root(tmp_path, "1 1 8:1 / / rw - ext4 /dev/sda1 rw\n")) == 1_700_000_000
    assert pod_started(str(tmp_path / "nothing")) == 0.0
