from __future__ import annotations

import errno
import io
import time
from importlib import import_module

import pytest

from procwrap import subcommands
from procwrap.client import shell
from procwrap.client.call import Clock
from procwrap.client.commands import COMMANDS, LOCAL
from procwrap.config.arguments import help_text
from procwrap.errors import ProcwrapError, UsageError
from tests.support.client import fleet, view
from tests.support.rawserver import RawServer, http, saying

CLOCK = Clock(time.monotonic, time.time, time.sleep)


class Full(io.StringIO):
    """A file that takes nothing more, or a pipe whose reader has gone."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def flush(self) -> None:
        """Fail as such a file does."""
        raise self._error


def run(*words: str, **environ: str) -> tuple[int, str, str]:
    """Run a subcommand."""
    printed, said = io.StringIO(), io.StringIO()
    code = shell.run(words[0], words[1:], environ, printed, said, CLOCK)
    return code, printed.getvalue(), said.getvalue()


def server() -> RawServer:
    """Return a host with one process."""
    import json

    return RawServer(saying(http(200, json.dumps(fleet(view("api")).document).encode())))


def test_every_subcommand_is_known_everywhere() -> None:
    """To the dispatch, to the help of the main command, and each has a module."""
    assert set(COMMANDS) == set(shell.MODULES)
    assert set(COMMANDS) <= set(subcommands.SUBCOMMANDS)
    text = help_text().replace("start|stop|restart", "start procwrap stop procwrap restart")
    for name in subcommands.SUBCOMMANDS:
        assert name.startswith("_") or f"procwrap {name}" in text
    for name, module in shell.MODULES.items():
        assert name in LOCAL or callable(import_module(f"procwrap.client.{module}").run)


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name: str) -> None:
    """It needs no host."""
    code, out, err = run(name, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: procwrap {name}")


def test_where_procwrap_is() -> None:
    """By the option, or by the variable."""
    with server() as host:
        assert run("__names", "--socket", host.path) == (0, "api\n", "")
        assert run("__names", PROCWRAP_CONTROL_SOCKET=host.path) == (0, "api\n", "")


def test_no_procwrap_there() -> None:
    """Exit code 3, and one line that says what to do."""
    code, out, err = run("status", "--socket", "/nowhere/s")
    assert (code, out) == (3, "")
    assert (
        err == "no procwrap at /nowhere/s: no such file; is it running in this container? --url for another\n"
    )


def test_a_token_that_everybody_can_read() -> None:
    """A warning says so, and does not show it."""
    code, _, err = run("status", "--url", "http://0.0.0.0:1", "--token", "sesame")
    assert code == 3
    warning, trouble = err.splitlines()
    assert warning == (
        "warning: the token travels to http://0.0.0.0:1 readable for everybody in between: use https://"
    )
    assert "sesame" not in err
    assert trouble.startswith("no procwrap at http://0.0.0.0:1: ")


def test_several_lines_of_trouble() -> None:
    """Each stands for itself."""
    with server() as host:
        code, _, err = run("status", "x", "y", "--socket", host.path)
    assert code == 1
    assert [line.partition(":")[0] for line in err.splitlines()] == [
        'no process is called "x"',
        'no process is called "y"',
    ]


@pytest.mark.parametrize(
    ("words", "code"),
    [("status", 0), ("status --help", 0), ("completion bash", 0), ("schema", 0), ("reload --json", 1)],
)
def test_a_reader_that_has_enough(words: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """``procwrap status | head`` ends quietly."""
    monkeypatch.setattr("sys.stdout", Full(BrokenPipeError()))
    refusal = http(409, b'{"error": "not now"}')
    with server() as host:
        host.script = saying(refusal) if words.startswith("reload") else host.script
        assert subcommands.run(words.split(), {"PROCWRAP_CONTROL_SOCKET": host.path}) == code


def test_a_disk_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not written was not done, and one line says why."""
    monkeypatch.setattr("sys.stdout", Full(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(ProcwrapError, match=r"^cannot write to stdout: No space left on device$") as caught:
        subcommands.run(["completion", "zsh"], {})
    assert caught.value.exit_status == 1


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("statsu", 'unknown command "statsu": did you mean status?'),
        ("sleep", 'unknown command "sleep": a command to wrap stands after --; see procwrap --help'),
        ("names", 'unknown command "names": a command to wrap stands after --; see procwrap --help'),
    ],
)
def test_a_subcommand_that_is_none(word: str, advice: str) -> None:
    """Perhaps another was meant, or a command to wrap."""
    with pytest.raises(UsageError) as caught:
        subcommands.run([word], {})
    assert str(caught.value) == advice


def test_events_of_others_need_no_host() -> None:
    """``procwrap events --listen-udp`` is what it was."""
    for words in (["--listen-udp", "nonsense"], ["-listen-udp=nonsense"]):
        with pytest.raises(UsageError, match="--listen-udp: "):
            subcommands.run(["events", *words], {})
