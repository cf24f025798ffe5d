"""What cannot be executed: its state, its reason, and nobody else's trouble."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, process
from tests.support.plans import errors, finished

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]


def script(path: Path, text: str, mode: int = 0o755) -> str:
    """Write a script and return its path."""
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_what_cannot_be_executed_says_why(tmp_path: Path) -> None:
    """The path and the reason, for each in its own way; a sibling does not notice."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\x7fELF" + bytes(60))
    binary.chmod(0o755)
    plain = script(tmp_path / "plain", "echo no\n")
    closed = script(tmp_path / "closed", "#!/bin/sh\n", 0o644)
    no_interpreter = script(tmp_path / "bad", "#!/no/such/interpreter -x\n")
    wanted: dict[str, tuple[dict[str, Any], str]] = {
        "missing": ({"entrypoint": "/no/such"}, "/no/such: no such file"),
        "unknown": (
            {"entrypoint": "no-such-program"},
            f"no-such-program: not found in PATH={os.environ['PATH']}",
        ),
        "closed": ({"entrypoint": closed}, f"{closed}: permission denied (is it executable?)"),
        "folder": ({"entrypoint": "/tmp"}, "/tmp: it is a directory"),
        "interpreter": (
            {"entrypoint": no_interpreter},
            f"{no_interpreter}: its interpreter /no/such/interpreter does not exist",
        ),
        "shebang": (
            {"entrypoint": plain},
            f"{plain}: exec format error (a script without a #! line, or made for another machine?)",
        ),
        "binary": (
            {"entrypoint": str(binary)},
            f"{binary}: exec format error (a script without a #! line, or made for another machine?)",
        ),
        "through_file": ({"entrypoint": "/etc/passwd/x"}, "/etc/passwd/x: Not a directory"),
        "too_long": (
            {"entrypoint": "/bin/echo", "args": ["x" * 200_000]},
            "/bin/echo: Argument list too long",
        ),
        "name": ({"entrypoint": "/" + "x" * 300}, f"/{'x' * 300}: File name too long"),
    }
    plan = [{"name": name, "restartPolicy": "never", **item} for name, (item, _) in wanted.items()]
    directory = {"name": "dir", "restartPolicy": "never", "entrypoint": "/bin/true", "dir": "/no/dir"}
    hosted = finished(tmp_path, *plan, directory, process("fine", "sleep 0.5; echo fine"))
    seen = errors(hosted)
    assert seen.pop("dir") == "cannot enter its directory /no/dir: No such file or directory"
    assert seen == {name: f"cannot execute {why}" for name, (_, why) in wanted.items()}
    assert hosted.lines("fine") == ["fine"]
    assert hosted.err.read_text() == ""


def test_what_cannot_be_executed_is_tried_again(tmp_path: Path) -> None:
    """A failed start follows the restart policy too: a program that is installed later is found."""
    tool = tmp_path / "tool"
    plan = {"name": "a", "entrypoint": str(tool), "restartPolicy": "onFailure",
            "restartBackoff": {"initial": "20ms", "max": "20ms"}}  # fmt: skip
    with Hosted(tmp_path, [plan], http=True) as hosted:
        hosted.until(lambda: len(hosted.said("no such file")) >= 3)
        code, full = hosted.get("/status?full")
        assert code == 200
        assert "no such file" in str(full)
        assert hosted.get("/readiness")[0] == 503
        causes = [record["cause"] for record in hosted.records() if "cause" in record]
        assert set(causes) == {"cannot start"}
        script(tool, "#!/bin/sh\necho found; exec sleep 600\n")
        hosted.until(lambda: hosted.lines("a") == ["found"])
        assert hosted.end() == 0


def test_an_impossible_argument_is_refused(tmp_path: Path) -> None:
    """No argument can hold a NUL; that is a mistake in the config or a failed start, never a traceback."""
    with Hosted(tmp_path, [process("a", "", args=["-c", "echo a\0b"]), process("b", "echo b")]) as hosted:
        assert hosted.wait() in (2, 126)
        assert "NUL" in hosted.told() or "null" in hosted.told()


def test_a_process_without_descriptors_left_says_so(tmp_path: Path) -> None:
    """At the limit of open files a start fails with that reason, and is tried again; procwrap lives on."""
    plan = [process(f"p{number}", "exec sleep 600") for number in range(40)]
    prefix = ("sh", "-c", 'ulimit -n 40; exec "$@"', "sh")
    with Hosted(tmp_path, plan, prefix=prefix) as hosted:
        hosted.until(lambda: hosted.said("Too many open files"))
        hosted.until(lambda: len([1 for record in hosted.records() if "process" in record]) >= 40)
        assert hosted.end() == 0
