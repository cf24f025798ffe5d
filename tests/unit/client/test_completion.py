from __future__ import annotations

import io
import os
import pty
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from procwrap.client import completion
from procwrap.client.commands import COMMANDS
from procwrap.client.screen import Screen
from procwrap.client.words import parse
from procwrap.config.options import OPTIONS
from procwrap.errors import UsageError

SHELLS = [shell for shell in ("bash", "zsh") if shutil.which(shell)]
SAYS_WHAT_IT_WAS_ASKED = '#!/bin/sh\nshift\necho "$*" >> asked\necho api; echo worker; echo worker-2\n'

BASH = r"""
source ./script
COMP_LINE=$1 COMP_POINT=${#1}
IFS=$' \t\n=' read -ra COMP_WORDS <<<"$1"
[[ $1 == *[\ =] ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { echo "compopt $*"; }
_procwrap
printf '%s\n' "${COMPREPLY[@]}"
"""
ZSH = r"""
compdef() { :; }
compset() { :; }
_files() { echo "compopt -o default"; }
compadd() { shift; for word in "$@"; do [[ $word == ${cur}* ]] && echo $word; done; }
source ./script
words=("${(@s: :)1}") CURRENT=$#words
_procwrap
"""


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the name of a shell whose script lies in the folder, beside a procwrap with three processes."""
    (tmp_path / "script").write_text(completion.script(request.param))
    procwrap = tmp_path / "procwrap"
    procwrap.write_text(SAYS_WHAT_IT_WAS_ASKED)
    procwrap.chmod(procwrap.stat().st_mode | stat.S_IXUSR)
    return str(request.param)


def completed(shell: str, line: str, home: Path) -> list[str]:
    """Complete a line in a real shell."""
    asks = {"bash": ["bash", "--norc", "-c", BASH], "zsh": ["zsh", "-f", "-c", ZSH]}[shell]
    environ = {**os.environ, "PATH": f"{home}:{os.environ['PATH']}"}
    done = subprocess.run(
        [*asks, shell, line], cwd=home, env=environ, capture_output=True, text=True, timeout=30
    )
    assert done.stderr == ""
    return [word for word in done.stdout.splitlines() if word]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("procwrap sta", ["status", "start"]),
        ("procwrap --conf", ["--config"]),
        ("procwrap status ", ["api", "worker", "worker-2"]),
        ("procwrap status wo", ["worker", "worker-2"]),
        ("procwrap restart api --no", ["--no-wait"]),
        ("procwrap logs -f -n 5 wo", ["worker", "worker-2"]),
        ("procwrap logs -n ", []),
        ("procwrap stop api --timeout ", []),
        ("procwrap wait --for r", ["ready", "running"]),
        ("procwrap wait --for=r", ["ready", "running"]),
        ("procwrap wait -for e", ["exited"]),
        ("procwrap wait --for ready a", ["api"]),
        ("procwrap completion ", ["bash", "zsh"]),
        ("procwrap reload ", []),
        ("procwrap reload --js", ["--json"]),
        ("procwrap check ", ["compopt -o default"]),
        ("procwrap --config ", ["compopt -o default"]),
        ("procwrap status --token-file ", ["compopt -o default"]),
        ("procwrap --debug --pre", []),
        ("procwrap --debug --read", ["--readiness-file"]),
        ("procwrap signal HUP w", ["worker", "worker-2"]),
    ],
)
def test_what_is_offered(shell: str, line: str, words: list[str], tmp_path: Path) -> None:
    """Subcommands, options, values and the names of processes, as a real shell completes them."""
    assert completed(shell, line, tmp_path) == words


def test_signals(shell: str, tmp_path: Path) -> None:
    """Their names stand before those of processes, as most people write them."""
    found = completed(shell, "procwrap signal ", tmp_path)
    assert "HUP" in found
    assert not {"worker", "EXIT"} & set(found)
    assert completed(shell, "procwrap signal US", tmp_path) == ["USR1", "USR2"]


def test_the_names_are_those_of_the_host_that_is_meant(shell: str, tmp_path: Path) -> None:
    """What says where procwrap is goes along."""
    completed(shell, "procwrap stop --url http://h:1 --token-file=t --insecure --timeout 5s a", tmp_path)
    assert (tmp_path / "asked").read_text() == "--url=http://h:1 --token-file=t --insecure\n"


@pytest.mark.skipif("bash" not in SHELLS, reason="there is no bash")
def test_bash_at_work(tmp_path: Path) -> None:
    """A bash that somebody types into takes the script and completes the line by a tab."""
    (tmp_path / "script").write_text(completion.script("bash"))
    procwrap = tmp_path / "procwrap"
    procwrap.write_text('#!/bin/sh\n[ $1 = __names ] && echo api || echo "$@" > ran\n')
    procwrap.chmod(0o755)
    ours, theirs = pty.openpty()
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "dumb"}
    words = ["bash", "--norc", "--noprofile", "-i"]
    with os.fdopen(ours, "wb", buffering=0) as keys, os.fdopen(theirs, "rb") as terminal:
        ends = {"stdin": terminal, "stdout": terminal, "stderr": terminal}
        bash = subprocess.Popen(words, cwd=tmp_path, env=environ, start_new_session=True, **ends)
        keys.write(b"source ./script\nprocwrap resta\tap\t--no-\t\nexit\n")
        assert bash.wait(30) == 0
    assert (tmp_path / "ran").read_text() == "restart api --no-wait\n"


@pytest.mark.parametrize("shell_name", ["bash", "zsh"])
def test_everything_is_in_the_script(shell_name: str) -> None:
    """Every subcommand and every option, and no place was left open."""
    text = completion.script(shell_name)
    assert all(name in text for name in COMMANDS)
    assert all(f"--{option.name}" in text for command in COMMANDS.values() for option in command.options)
    assert all(f"--{option.name}" in text for option in OPTIONS)
    assert not any(f"@{place}@" in text for place in ("COMMANDS", "MAIN", "VALUES", "OPTIONS"))


def test_it_is_printed() -> None:
    """For ``eval``, with nothing else around it."""
    out = io.StringIO()
    assert completion.run(parse(COMMANDS["completion"], ["bash"]), Screen(out, io.StringIO(), {})) == 0
    assert out.getvalue() == completion.script("bash") + "\n"


def test_a_shell_that_is_not_known() -> None:
    """It says which are."""
    with pytest.raises(UsageError, match='expected bash or zsh, got "fish"'):
        completion.run(parse(COMMANDS["completion"], ["fish"]), Screen(io.StringIO(), io.StringIO(), {}))
