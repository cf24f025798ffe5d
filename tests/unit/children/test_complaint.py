from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from procwrap.children.complaint import complaint
from procwrap.children.launch import Command
from procwrap.spec.process import Attributes


def said(number: int, entrypoint: str, filename: str | None = None, **settings: object) -> tuple[str, int]:
    command = Command(entrypoint, (), {"PATH": "/bin:/usr/bin"}, **settings)  # type: ignore[arg-type]
    error = complaint(OSError(number, os.strerror(number), filename or entrypoint), command)
    return error.reason, error.exit_status


def script(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_file_that_is_not_there() -> None:
    """127, as a shell says it."""
    assert said(errno.ENOENT, "/no/such") == ("cannot execute /no/such: no such file", 127)


def test_a_name_that_is_not_in_the_path() -> None:
    """The PATH is the process's own, and is named."""
    reason = "cannot execute api: not found in PATH=/bin:/usr/bin"
    assert said(errno.ENOENT, "api") == (reason, 127)


@pytest.mark.parametrize(
    ("text", "interpreter"),
    [
        ("#!/no/such/python -u\n", "/no/such/python"),
        ("#!\n", "(none named behind #!)"),
        ("\x7fELF", "(the dynamic loader named in it)"),
    ],
)
def test_an_interpreter_that_is_not_there(tmp_path: Path, text: str, interpreter: str) -> None:
    """The file exists, so the kernel's "no such file" is about something else."""
    place = script(tmp_path / "run", text)
    reason = f"cannot execute {place}: its interpreter {interpreter} does not exist"
    assert said(errno.ENOENT, place) == (reason, 127)


def test_what_must_not_be_executed(tmp_path: Path) -> None:
    """126: found, but not executable."""
    place = script(tmp_path / "run", "true\n")
    assert said(errno.EACCES, place) == (
        f"cannot execute {place}: permission denied (is it executable?)",
        126,
    )
    assert said(errno.EACCES, str(tmp_path)) == (f"cannot execute {tmp_path}: it is a directory", 126)


def test_what_is_no_program(tmp_path: Path) -> None:
    """A script without its first line."""
    reason, code = said(errno.ENOEXEC, script(tmp_path / "run", "true\n"))
    assert "exec format error (a script without a #! line" in reason
    assert code == 126


def test_a_directory_that_cannot_be_entered() -> None:
    """It is told apart from the program."""
    reason, _ = said(errno.ENOENT, "/bin/true", filename="/srv/api", directory="/srv/api")
    assert reason == "cannot enter its directory /srv/api: No such file or directory"


def test_inside_a_chroot_the_file_is_looked_for_there(tmp_path: Path) -> None:
    """What a person sees from outside is under the new root."""
    (tmp_path / "bin").mkdir()
    script(tmp_path / "bin" / "run", "#!/bin/none\n")
    reason, _ = said(errno.ENOENT, "/bin/run", attributes=Attributes(chroot=str(tmp_path)))
    assert reason == "cannot execute /bin/run: its interpreter /bin/none does not exist"


def test_a_limit_that_is_reached() -> None:
    """fork(2) fails, the command is not to blame."""
    assert said(errno.EAGAIN, "/bin/true")[0].startswith("cannot start /bin/true: Resource temporarily")


def test_what_python_refuses() -> None:
    """A NUL in an argument."""
    error = complaint(ValueError("embedded null byte"), Command("/bin/true", ("a\0b",), {}))
    assert error.reason == "cannot execute /bin/true: embedded null byte"
