"""The control socket in the file system: who may connect, and whose file it is."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from procwrap.web import sockets
from procwrap.web.controlsocket import ControlSocket, NoControlSocketError, open_control


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a path that is short enough."""
    monkeypatch.chdir(tmp_path)
    return "procwrap.sock"


def test_only_its_owner(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has mode 600 from the moment on in which it is there, whatever the umask is."""
    seen: list[int] = []
    listen = socket.socket.listen

    class Watched(socket.socket):
        def listen(self, backlog: int = 0) -> None:  # type: ignore[override]
            seen.append(stat.S_IMODE(os.stat(path).st_mode))
            listen(self, backlog)

    monkeypatch.setattr(sockets.socket, "socket", Watched)
    for mask in (0, 0o22, 0o777):
        before = os.umask(mask)
        try:
            opened = open_control(path)
        finally:
            assert os.umask(before) == mask
        opened.listener.close()
        opened.remove()
    assert seen[:2] == [0o600, 0o600]
    assert all(mode & 0o177 == 0 for mode in seen)


def test_removed_at_the_end(path: str) -> None:
    """Once, and no harm is done if somebody was faster."""
    for gone in (False, True):
        opened = open_control(path)
        if gone:
            os.unlink(path)
        opened.listener.close()
        opened.remove()
        opened.remove()
        assert not os.path.lexists(path)


def test_not_ours_any_more(path: str) -> None:
    """What another procwrap has put there meanwhile is left alone."""
    ours = open_control(path)
    os.unlink(path)
    theirs = open_control(path)
    ours.remove()
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(path)
    for opened in (ours, theirs):
        opened.listener.close()


def test_a_stale_one_is_replaced(path: str) -> None:
    """One that a crash has left behind."""
    open_control(path).listener.close()
    opened = open_control(path)
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(path)
    opened.listener.close()


def serve(path: str) -> None:
    """Be another procwrap for the rest of the test run."""
    LIVING.append(open_control(path))


def write(path: str) -> None:
    """Put a file there."""
    Path(path).write_text("mine")


LIVING: list[ControlSocket] = []


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (serve, "another program answers there"),
        (write, "it exists and is not a socket"),
        (os.mkdir, "it exists and is not a socket"),
    ],
)
def test_what_is_not_ours_stays(path: str, make: Callable[[str], None], reason: str) -> None:
    """A live procwrap, and whatever else lies there."""
    make(path)
    before = os.lstat(path)
    with pytest.raises(NoControlSocketError, match=reason) as caught:
        open_control(path)
    assert (os.lstat(path).st_ino, caught.value.is_usual) == (before.st_ino, False)
    while LIVING:
        LIVING.pop().listener.close()


@pytest.mark.parametrize(
    ("where", "reason", "is_usual"),
    [
        ("nowhere/procwrap.sock", "no such file or directory", True),
        ("/proc/procwrap.sock", r"/proc/procwrap\.sock: \w+", True),
        ("x" * 108, "path too long", False),
    ],
)
def test_no_place_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, reason: str, is_usual: bool
) -> None:
    """One line says why, and what to do."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoControlSocketError, match=reason) as caught:
        open_control(where)
    assert caught.value.is_usual == is_usual
    assert str(caught.value).startswith(f"no control socket {where}: ")
    assert str(caught.value).endswith(
        "--control-socket PATH puts it elsewhere, --control-socket off does without"
    )
