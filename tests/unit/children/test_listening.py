from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from attrs import evolve

from procwrap.children.listening import Listening, NotifySockets
from procwrap.errors import SpawnError
from procwrap.spec.probe import Check, FileProbe, NotifyProbe
from procwrap.spec.process import Attributes, ProcessSpec


@pytest.fixture
def place() -> str:
    """A short path: that of a socket may have no more than 107 bytes."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="p") as made:
        yield made


def spec(*probes: NotifyProbe) -> ProcessSpec:
    checks = [Check((FileProbe("/x"), probe)) for probe in probes]
    return ProcessSpec(
        "api", "/bin/api", **dict(zip(("readiness", "liveness", "startup"), checks, strict=False))
    )


def opened(sockets: NotifySockets, asked: ProcessSpec) -> Listening:
    made = sockets.open(asked)
    assert made is not None
    return made


def test_without_a_notify_probe(place: str) -> None:
    """Nothing is opened and no directory is made."""
    asked = ProcessSpec("api", "/bin/api", readiness=Check((FileProbe("/x"),)))
    assert NotifySockets((place,)).open(asked) is None
    assert os.listdir(place) == []


def test_a_socket(place: str) -> None:
    """Everybody can write to it who knows its name; nobody else can list the directory."""
    sockets = NotifySockets((place,))
    made = opened(sockets, spec(NotifyProbe()))
    path = made.environment["NOTIFY_SOCKET"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o711
    assert set(made.environment) == {"NOTIFY_SOCKET"}
    assert (made.number, made.reading) == (None, -1)
    made.close()
    assert not os.path.exists(path)
    sockets.close()
    assert os.listdir(place) == []


def test_every_run_has_its_own(place: str) -> None:
    """What an earlier run still says reaches nobody."""
    sockets = NotifySockets((place,))
    first, second = (opened(sockets, spec(NotifyProbe())) for _ in range(2))
    assert first.path != second.path
    first.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as late, pytest.raises(FileNotFoundError):
        late.sendto(b"READY=1", first.environment["NOTIFY_SOCKET"])
    second.close()
    sockets.close()


def test_the_strictest_watchdog(place: str) -> None:
    """It is told in microseconds, for every process of the service: without WATCHDOG_PID."""
    made = opened(NotifySockets((place,)), spec(NotifyProbe(watchdog=10.0), NotifyProbe(watchdog=2.5)))
    assert made.environment["WATCHDOG_USEC"] == "2500000"
    assert "WATCHDOG_PID" not in made.environment
    made.close()


@pytest.mark.parametrize("why", ["chroot", "nowhere to write", "too long"])
def test_an_abstract_socket(place: str, why: str) -> None:
    """Where no path can be used there is one without; its name cannot be guessed."""
    asked, places = spec(NotifyProbe()), (place,)
    if why == "chroot":
        asked = evolve(asked, attributes=Attributes(chroot="/srv"))
    elif why == "nowhere to write":
        places = ("/proc", place + "/missing")
    else:
        long = Path(place) / ("x" * 100)
        long.mkdir()
        places = (str(long),)
    sockets = NotifySockets(places)
    made, other = opened(sockets, asked), opened(sockets, asked)
    name = made.environment["NOTIFY_SOCKET"]
    assert name.startswith("@procwrap-")
    assert len(name) == len("@procwrap-") + 32
    assert name != other.environment["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"READY=1", "\0" + name[1:])
    assert made.socket is not None
    assert made.socket.recv(100) == b"READY=1"
    made.close()
    other.close()
    sockets.close()


def test_a_descriptor(place: str) -> None:
    """It is a pipe, and no socket is made; it may stand in several checks."""
    made = opened(NotifySockets((place,)), spec(NotifyProbe(fd=7), NotifyProbe(fd=7)))
    assert (made.number, made.socket, dict(made.environment)) == (7, None, {})
    os.write(made.writing, b"\n")
    assert os.read(made.reading, 9) == b"\n"
    made.executed()
    assert os.read(made.reading, 9) == b""
    made.close()
    assert os.listdir(place) == []


def test_both(place: str) -> None:
    """A line for readiness and a watchdog on the socket go together."""
    made = opened(NotifySockets((place,)), spec(NotifyProbe(fd=7), NotifyProbe(watchdog=1.0)))
    assert made.number == 7
    assert made.environment["WATCHDOG_USEC"] == "1000000"
    made.close()


def test_a_directory_that_somebody_removed(place: str) -> None:
    """The next start makes a new one."""
    sockets = NotifySockets((place,))
    opened(sockets, spec(NotifyProbe())).close()
    os.rmdir(os.path.join(place, os.listdir(place)[0]))
    made = opened(sockets, spec(NotifyProbe()))
    assert made.path is not None
    made.close()
    sockets.close()


def test_no_descriptor_left(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That start fails with a line that says so; nothing stays open."""

    def refuse(*arguments: object) -> None:
        raise OSError(24, "Too many open files")

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(socket, "socket", refuse)
    with pytest.raises(SpawnError, match="cannot open what its notify probe listens to: Too many open files"):
        NotifySockets((place,)).open(spec(NotifyProbe(fd=7), NotifyProbe()))
    assert len(os.listdir("/proc/self/fd")) == before
