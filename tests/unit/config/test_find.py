from __future__ import annotations

import io
import os
import re
import threading
from pathlib import Path

import pytest

from procwrap.config import find, variables
from procwrap.config.reading import MAX_BYTES
from procwrap.errors import ExitStatus, SpawnError, UsageError
from procwrap.spec.plan import Given

EMPTY = io.BytesIO()


def fetch(
    path: str | Path | None, environ: dict[str, str] | None = None, stdin: bytes = b""
) -> tuple[str, bytes, bool]:
    text = find.read_config(Given(config=path and str(path)), environ or {}, io.BytesIO(stdin), patience=0.05)
    return text.source, text.data, text.is_json


def failure(path: str | Path | None, stdin: bytes = b"") -> str:
    with pytest.raises(UsageError) as caught:
        fetch(path, stdin=stdin)
    assert caught.value.exit_status == ExitStatus.USAGE
    return str(caught.value)


def test_a_file(tmp_path: Path) -> None:
    """A file is read as it is; its name says whether it has to be JSON."""
    for name, is_json in (("a.yaml", False), ("a.JSON", True)):
        path = tmp_path / name
        path.write_bytes(b"\xff\0")
        assert fetch(path) == (str(path), b"\xff\0", is_json)


def test_standard_input() -> None:
    """- is standard input."""
    assert fetch("-", stdin=b"abc") == ("stdin", b"abc", False)


def test_the_environment(tmp_path: Path) -> None:
    """Without --config, PROCWRAP_CONFIG names a file; without that, CONFIG is the config."""
    path = tmp_path / "x"
    path.write_bytes(b"file")
    assert fetch(None, {"CONFIG": "te\udcffxt"}) == ("CONFIG", b"te\xffxt", False)
    assert fetch(None, {"CONFIG": ""}) == ("CONFIG", b"", False)
    assert fetch(None, {"CONFIG": "text", "PROCWRAP_CONFIG": str(path)}) == (str(path), b"file", False)
    assert fetch("-", {"CONFIG": "text", "PROCWRAP_CONFIG": str(path)}, b"in") == ("stdin", b"in", False)


def test_none() -> None:
    """Neither: the message names both."""
    message = "no config: give --config FILE, or the config itself in the environment variable CONFIG"
    assert failure(None) == message


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    """What is wrong with a path is said in the system's words."""
    missing = tmp_path / "missing"
    socket_like = tmp_path / "file" / "below"
    (tmp_path / "file").touch()
    assert failure(missing) == f"cannot read the config {missing}: No such file or directory"
    assert failure(tmp_path) == f"cannot read the config {tmp_path}: Is a directory"
    assert failure(socket_like) == f"cannot read the config {socket_like}: Not a directory"
    # Python 3.13 words the reason differently.
    assert re.fullmatch(r"cannot read the config a\\x00b: .*embedded null.*", failure("a\0b"))
    assert failure("a\nb") == "cannot read the config a\\nb: No such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    """Missing rights are named."""
    path = tmp_path / "x"
    path.touch(0o000)
    assert failure(path) == f"cannot read the config {path}: Permission denied"


def test_too_large(tmp_path: Path) -> None:
    """10 MB are no config, wherever they come from, and are not read to their end."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 10_000_000)
    assert failure(path) == f"cannot read the config {path}: it is larger than 4 MiB"
    assert failure("-", stdin=path.read_bytes()) == "cannot read the config stdin: it is larger than 4 MiB"
    assert failure("/dev/zero") == "cannot read the config /dev/zero: it is larger than 4 MiB"
    path.write_bytes(b"x" * MAX_BYTES)
    assert len(fetch(path)[1]) == MAX_BYTES


def test_a_device_without_content() -> None:
    """/dev/null is an empty config."""
    assert fetch("/dev/null") == ("/dev/null", b"", False)


def test_a_pipe_that_nobody_writes_to(tmp_path: Path) -> None:
    """A FIFO without a writer does not keep procwrap from saying so."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    message = f"cannot read the config {path}: it is no regular file, and its end did not come in time"
    assert failure(path) == message


def test_a_pipe_that_never_ends(tmp_path: Path) -> None:
    """Nor does one whose writer stays silent, or has no patience left to write to."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    try:
        os.write(writer, b"half a config")
        assert failure(path).endswith(": it is no regular file, and its end did not come in time")
    finally:
        os.close(writer)


def test_a_pipe_in_pieces(tmp_path: Path) -> None:
    """Process substitution works: a pipe is read to its end, however it comes."""
    reader, writer = os.pipe()
    os.write(writer, b"one ")

    def finish() -> None:
        os.write(writer, b"two")
        os.close(writer)

    thread = threading.Thread(target=finish)
    thread.start()
    path = f"/dev/fd/{reader}"
    try:
        assert find.read_config(Given(config=path), {}, EMPTY).data == b"one two"
    finally:
        thread.join()
        os.close(reader)


def test_standard_input_that_is_closed() -> None:
    """A closed standard input is an error of one line too."""
    stdin = io.BytesIO()
    stdin.close()
    with pytest.raises(UsageError, match=r"^cannot read the config stdin: I/O operation on closed file\.$"):
        find.read_config(Given(config="-"), {}, stdin)


def test_env_file(tmp_path: Path) -> None:
    """The env file of a process is read as it is now."""
    path = tmp_path / "env"
    path.write_bytes("\ufeffexport A='é'\r\n".encode())
    assert find.read_env_file(str(path)) == (("A", "é"),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read envsFile {}: No such file or directory"),
        (b"A=\xff", "cannot read envsFile {}: it is not UTF-8"),
        (b"x" * 5_000_000, "cannot read envsFile {}: it is larger than 4 MiB"),
        (b"hunter2", "envsFile {}, line 1: expected NAME=value"),
    ],
)
def test_env_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, message: str) -> None:
    """The start fails with one line that names the file, and shows nothing of it."""
    path = tmp_path / "env"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpawnError) as caught:
        find.read_env_file(str(path))
    assert str(caught.value) == message.format(path)


def test_env_files_that_are_no_files(tmp_path: Path) -> None:
    """A start is never held up by a FIFO or a device."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, reason in (
        (tmp_path, "Is a directory"),
        (fifo, "it is no regular file, and its end did not come in time"),
    ):
        with pytest.raises(SpawnError) as caught:
            find.read_env_file(str(path))
        assert str(caught.value) == f"cannot read envsFile {path}: {reason}"


def test_environ() -> None:
    """The environment is a copy: changing it changes nothing."""
    environ = variables.environ()
    environ["PROCWRAP_TEST"] = "1"
    assert "PROCWRAP_TEST" not in variables.environ()


@pytest.mark.parametrize(
    ("given", "variables", "source"),
    [
        (Given(config="-"), {}, "standard input"),
        (Given(), {"CONFIG": "[]"}, "the environment variable CONFIG"),
        (Given(config="/app.yaml"), {"CONFIG": "[]"}, None),
        (Given(), {"PROCWRAP_CONFIG": "/app.yaml"}, None),
    ],
)
def test_which_config_can_be_read_again(given: Given, variables: dict[str, str], source: str | None) -> None:
    """A file; nothing else can have changed."""
    assert find.unchanging(given, variables) == source
