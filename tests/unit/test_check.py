from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from procwrap import check
from procwrap.errors import ExitStatus

GOOD = b"- {name: a, entrypoint: x, replicas: 2}\n"


def run(
    arguments: Sequence[str], environ: Mapping[str, str] | None = None, stdin: bytes = b""
) -> tuple[int, list[str], list[str]]:
    out, err = io.StringIO(), io.StringIO()
    status = check.run(arguments, environ or {}, io.BytesIO(stdin), out, err)
    return status, out.getvalue().splitlines(), err.getvalue().splitlines()


def test_a_good_file(tmp_path: Path) -> None:
    """One line says which dialect it is and how many processes it has."""
    path = tmp_path / "app.yaml"
    path.write_bytes(GOOD)
    assert run([str(path)]) == (ExitStatus.DONE, [f"{path}: good: native config, 2 processes"], [])


def test_standard_input_and_environment() -> None:
    """The config may come from where it may come from for running it."""
    one = b'[{"name": "a", "entrypoint": "x"}]'
    assert run(["-"], stdin=one)[1] == ["stdin: good: native config, 1 process"]
    assert run([], {"CONFIG": one.decode()})[1] == ["CONFIG: good: native config, 1 process"]


def test_warnings() -> None:
    """What is allowed but doubtful is said, and is no error."""
    text = (
        b"[{name: a, entrypoint: x}, {name: b, entrypoint: y, dependsOn: [{name: a, condition: completed}]}]"
    )
    status, out, err = run(["-"], stdin=text)
    warning = "stdin: warning: b waits for a to complete, but its restartPolicy is always: it may never do so"
    assert (status, out, err) == (ExitStatus.DONE, ["stdin: good: native config, 2 processes", warning], [])


def test_errors() -> None:
    """All errors come at once, one a line, on standard error, with exit code 2."""
    assert run(["-"], stdin=b"- {name: a b, entrypoint: 5}\n- {}\n") == (
        ExitStatus.USAGE,
        [],
        [
            'stdin:1:10: processes[0].name: expected letters, digits and . _ - (at most 100), got "a b"',
            'stdin:1:27: processes[0].entrypoint: expected text, got a number: quote it ("5")',
            "stdin:2:3: processes[1].entrypoint: is missing",
            "stdin:2:3: processes[1].name: is missing",
        ],
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no config: give --config FILE, or the config itself in the environment variable CONFIG"),
        (["a", "b"], "procwrap check takes one FILE"),
        (["--fix", "a"], "unknown option --fix: procwrap check takes a FILE and --secrets-dir DIR"),
        (["--secrets-dir", "/nonexistent", "a"], "--secrets-dir: /nonexistent is no directory"),
        (["--secrets-dir"], "--secrets-dir: expected a value, got an empty one"),
        (["/nonexistent"], "cannot read the config /nonexistent: No such file or directory"),
        (["/"], "cannot read the config /: Is a directory"),
    ],
)
def test_usage(arguments: list[str], message: str) -> None:
    """A mistake on the command line is one line and exit code 2."""
    assert run(arguments) == (ExitStatus.USAGE, [], [message])


@pytest.mark.parametrize("word", ["-h", "--help", "-help"])
def test_help(word: str) -> None:
    """Help goes to standard output."""
    status, out, err = run([word])
    assert (status, out[0], err) == (ExitStatus.DONE, "Usage: procwrap check [--secrets-dir DIR] [FILE]", [])


def test_it_starts_light() -> None:
    """Checking a config imports neither Twisted nor anything that needs it."""
    heavy = "{'twisted', 'klein', 'zope'} & set(sys.modules)"
    code = f"import sys, procwrap.check, procwrap.config.yamltext; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
