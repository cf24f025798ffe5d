from __future__ import annotations

import os
from pathlib import Path

import pytest
from attrs import evolve

from procwrap.core.events import Hurried, Level, Notice
from procwrap.core.lifecycle import State
from procwrap.core.snapshot import ProcessView, Snapshot
from procwrap.sinks.readinessfile import ReadinessFile

EVENT = Notice(Level.INFO, "something happened")


def one(state: State, **truth: object) -> Snapshot:
    """A snapshot of one process."""
    return evolve(Snapshot({"api": ProcessView("api", state)}, declared=True), **truth)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file shall be."""
    return tmp_path / "started"


@pytest.fixture
def warnings() -> list[str]:
    """What was warned of."""
    return []


@pytest.fixture
def file(path: Path, warnings: list[str]) -> ReadinessFile:
    """The usual: written once."""
    return ReadinessFile(str(path), False, lambda: 1_795_291_384.5671, warnings.append)


@pytest.fixture
def follower(path: Path, warnings: list[str]) -> ReadinessFile:
    """One that follows."""
    return ReadinessFile(str(path), True, lambda: 1_795_291_384.5671, warnings.append)


def test_written_when_all_is_healthy(file: ReadinessFile, path: Path) -> None:
    """The file appears with the first moment in which all is healthy, and says when that was."""
    file.watch(one(State.STARTING), EVENT)
    assert not path.exists()
    file.watch(one(State.RUNNING), EVENT)
    assert path.read_text() == "2026-11-21T20:03:04.567Z\n"
    assert os.listdir(path.parent) == ["started"]


def test_one_of_a_previous_run_is_removed(file: ReadinessFile, path: Path) -> None:
    """What a previous run left does not say that this one is ready."""
    path.write_text("old")
    file.begin()
    assert not path.exists()


def test_stays_while_degraded(file: ReadinessFile, path: Path) -> None:
    """Without ``follow`` the file stays when something gets unhealthy later."""
    file.watch(one(State.RUNNING), EVENT)
    file.watch(one(State.UNHEALTHY), EVENT)
    assert path.exists()


def test_follow_removes_and_writes_again(follower: ReadinessFile, path: Path) -> None:
    """With ``follow`` the file is there exactly while all is healthy."""
    seen = []
    for state in (State.RUNNING, State.UNHEALTHY, State.RUNNING, State.BACKOFF):
        follower.watch(one(state), EVENT)
        seen.append(path.exists())
    assert seen == [True, False, True, False]


@pytest.mark.parametrize("follow", [True, False])
def test_removed_as_soon_as_the_shutdown_begins(path: Path, follow: bool) -> None:
    """The file goes with the beginning of the end, and does not come back."""
    file = ReadinessFile(str(path), follow, lambda: 0.0, pytest.fail)
    file.watch(one(State.RUNNING), EVENT)
    file.watch(one(State.RUNNING, shutdown=True), EVENT)
    assert not path.exists()
    file.watch(one(State.STOPPED, shutdown=True), Hurried("now"))
    assert not path.exists()


def test_never_written_when_the_end_comes_first(file: ReadinessFile, path: Path) -> None:
    """A shutdown before all was healthy leaves no file."""
    file.watch(one(State.RUNNING, shutdown=True), EVENT)
    assert not path.exists()


def test_removed_at_stop(file: ReadinessFile, path: Path) -> None:
    """Stopping removes the file, and only if it is ours."""
    path.write_text("somebody else's")
    file.stop()
    assert path.exists()
    file.watch(one(State.RUNNING), EVENT)
    file.stop()
    assert not path.exists()


def test_a_path_that_cannot_be_written_is_told_once_and_tried_again(
    file: ReadinessFile, path: Path, warnings: list[str]
) -> None:
    """A missing directory is one warning, ends nothing, and is tried again with each change."""
    path.parent.rmdir()
    for _ in range(100):
        file.watch(one(State.RUNNING), EVENT)
    assert warnings == [f"cannot write the readiness file {path}: No such file or directory"]
    path.parent.mkdir()
    file.watch(one(State.RUNNING), EVENT)
    assert path.exists()


def test_warned_again_after_it_worked_in_between(
    follower: ReadinessFile, path: Path, warnings: list[str]
) -> None:
    """Trouble that comes back is told again."""
    for directory_there in (False, True, False):
        if directory_there:
            path.parent.mkdir()
        else:
            path.unlink(missing_ok=True)
            path.parent.rmdir()
        follower.watch(one(State.RUNNING), EVENT)
        follower.watch(one(State.UNHEALTHY), EVENT)
        follower.watch(one(State.RUNNING), EVENT)
    assert len(warnings) == 2


def test_a_directory_in_its_place(file: ReadinessFile, path: Path, warnings: list[str]) -> None:
    """A directory of that name is neither removed nor the end of anything."""
    path.mkdir()
    file.begin()
    file.watch(one(State.RUNNING), EVENT)
    assert path.is_dir()
    assert len(warnings) == 1
    assert os.listdir(path.parent) == ["started"]


def test_the_same_truth_costs_nothing(file: ReadinessFile, path: Path, warnings: list[str]) -> None:
    """Events that change nothing lead to nothing, not even to another try, however many there are."""
    now = one(State.RUNNING)
    path.parent.rmdir()
    file.watch(now, EVENT)
    path.parent.mkdir()
    for _ in range(1000):
        file.watch(now, EVENT)
    assert not path.exists()
    file.watch(one(State.RUNNING), EVENT)
    assert path.exists()
    assert len(warnings) == 1


def test_a_link_is_replaced_and_not_followed(file: ReadinessFile, path: Path) -> None:
    """A link that somebody put in a world-writable directory does not lead us to overwrite its target."""
    target = path.parent / "precious"
    target.write_text("precious")
    path.symlink_to(target)
    file.watch(one(State.RUNNING), EVENT)
    assert target.read_text() == "precious"
    assert not path.is_symlink()
