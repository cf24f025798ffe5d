"""The command line of ``procwrap`` as a shell, a manifest and an orchestrator use it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from procwrap import __version__
from tests.support.hosted import ROOT, Hosted, process
from tests.support.plans import NO_RIGHTS, STUBBORN

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

PROCWRAP = (sys.executable, "-m", "procwrap")
TOUCH = [{"name": "a", "entrypoint": "touch", "args": ["ran"], "restartPolicy": "never"}]


def run(
    home: Path,
    *words: str,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    before: Sequence[str] = PROCWRAP,
) -> subprocess.CompletedProcess[str]:
    """Run procwrap to its end, without HTTP unless asked for; no traceback, whatever happens."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PROCWRAP_HTTP": "off", **(environment or {})}
    environ.setdefault("PROCWRAP_READINESS_FILE", str(home / "ready"))
    done = subprocess.run(
        [*before, *words], input=stdin, capture_output=True, cwd=home, env=environ, timeout=60
    )
    text = subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )
    assert "Traceback" not in text.stdout + text.stderr, text.stderr
    return text


def refused(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """Return the one line on stderr of a run that was refused."""
    assert (done.returncode, done.stdout) == (code, ""), done
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def config(home: Path, plan: Any = TOUCH, name: str = "c.json") -> str:
    """Write a config and return its name."""
    (home / name).write_text(json.dumps(plan))
    return name


@pytest.mark.parametrize("word", ["-version"])
def test_version(tmp_path: Path, word: str) -> None:
    """A name and a number."""
    done = run(tmp_path, word)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"procwrap {__version__}\n", "")


@pytest.mark.parametrize(
    "words", [("--version",), ("--help",), ("--wait", "--wait-deadline", "1ms"), ("check", "c.json")]
)
def test_what_must_start_fast_imports_no_twisted(tmp_path: Path, words: Sequence[str]) -> None:
    """Neither that nor klein, treq or the probes."""
    config(tmp_path)
    done = run(tmp_path, *words, before=(sys.executable, "-X", "importtime", "-m", "procwrap"))
    imported = {
        line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")
    }
    assert "procwrap" in imported
    heavy = re.compile(r"(twisted|klein|treq|OpenSSL|zope|procwrap\.(children|probes|web|sinks))\b")
    assert sorted(name for name in imported if heavy.match(name)) == []


def test_wait(tmp_path: Path) -> None:
    """Exit 0 as soon as the file is there, whoever writes it."""
    ready = tmp_path / "ready"
    timer = threading.Timer(0.4, ready.touch)
    began = time.monotonic()
    timer.start()
    done = run(tmp_path, "-wait")
    timer.join()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - began >= 0.4


def test_wait_in_vain(tmp_path: Path) -> None:
    """Exit 1 at the deadline, with one line that names the file."""
    began = time.monotonic()
    line = refused(run(tmp_path, "--wait", "-wait-deadline=300ms", "--readiness-file", "missing"), 1)
    assert time.monotonic() - began >= 0.3
    assert line == "not ready after 0.3s: missing does not exist\n"


def test_wait_needs_no_config(tmp_path: Path) -> None:
    """It is what another container runs; nothing of ours is started or needed there."""
    (tmp_path / "ready").touch()
    assert run(tmp_path, environment={"PROCWRAP_WAIT": "true", "CONFIG": "{"}).returncode == 0


def test_wait_for_a_real_host(tmp_path: Path) -> None:
    """The file of an earlier run does not count once procwrap has started; it comes when all are healthy."""
    go = tmp_path / "go"
    probe = {"delay": "0s", "period": "20ms", "startupDeadline": "1m", "file": {"path": str(go)}}
    (tmp_path / "ready").write_text("from an earlier run")
    with Hosted(tmp_path, [process("a", "exec sleep 600", readiness=probe)]) as hosted:
        hosted.until(lambda: hosted.pids_of("a") and not hosted.ready_file.exists())
        assert run(tmp_path, "--wait", "--wait-deadline", "100ms").returncode == 1
        go.touch()
        assert run(tmp_path, "--wait", "--wait-deadline", "30s").returncode == 0
        assert hosted.end() == 0
        assert not hosted.ready_file.exists()


@pytest.mark.parametrize(
    "words",
    [
        ("--config", "c.json"),
        ("-config", "c.json"),
        ("-config=c.json", "-debug=true"),
        ("--config=c.json", "--graceful-shutdown-deadline=1s"),
    ],
)
def test_every_spelling_of_an_option(tmp_path: Path, words: Sequence[str]) -> None:
    """One dash or two, with or without an equals sign: existing manifests work."""
    config(tmp_path)
    assert run(tmp_path, *words).returncode == 0
    assert (tmp_path / "ran").exists()


def test_the_ways_of_a_config(tmp_path: Path) -> None:
    """A file, standard input, PROCWRAP_CONFIG, CONFIG; JSON and YAML."""
    yaml = "processes:\n- {name: a, entrypoint: touch, args: [ran], restartPolicy: never}\n"
    (tmp_path / "c.yaml").write_text(yaml)
    ways: list[dict[str, Any]] = [
        {"words": ("--config", "c.yaml")},
        {"words": ("--config", "-"), "stdin": yaml.encode()},
        {"words": (), "environment": {"PROCWRAP_CONFIG": "c.yaml"}},
        {"words": (), "environment": {"CONFIG": yaml}},
        {"words": (), "environment": {"CONFIG": json.dumps(TOUCH)}},
    ]
    for way in ways:
        assert run(tmp_path, *way.pop("words"), **way).returncode == 0
        (tmp_path / "ran").unlink()


def test_the_order_of_precedence(tmp_path: Path) -> None:
    """Command line, environment, config, default: seen in how long a stubborn process is given."""
    stubborn = process("a", STUBBORN)
    plan = {"processes": [stubborn], "shutdown": {"deadline": "200ms"}}
    ways: list[tuple[str, dict[str, str], tuple[str, ...]]] = [
        ("0.2", {}, ()),
        ("0.3", {"PROCWRAP_GRACEFUL_SHUTDOWN_DEADLINE": "300ms"}, ()),
        ("0.1", {"PROCWRAP_GRACEFUL_SHUTDOWN_DEADLINE": "300ms"}, ("-graceful-shutdown-deadline=100ms",)),
    ]
    for seconds, environment, options in ways:
        home = tmp_path / seconds
        home.mkdir()
        with Hosted(home, plan, options, environment) as hosted:
            said_up = partial(hosted.lines, "a")
            hosted.until(said_up)
            assert hosted.end() == 0
            assert hosted.said(f"did not end within {seconds}s")


def test_skip_commands(tmp_path: Path) -> None:
    """Those are left out; a name that is not in the config is warned about and nothing more."""
    plan = [process(name, f"echo {name}") for name in "abc"]
    with Hosted(tmp_path, plan, ("--skip-commands", "b, nobody")) as hosted:
        assert hosted.wait() == 0
        assert [hosted.lines(name) for name in "abc"] == [["a"], [], ["c"]]
        (warning,) = [record for record in hosted.records() if record["level"] == "warning"]
        assert "nobody" in warning["msg"]


@pytest.mark.parametrize("kind", ["port", "unix", "address", "certificate"])
def test_a_socket_that_cannot_be_had(tmp_path: Path, kind: str) -> None:
    """Exit 1, one line that says what and why, and no child was started."""
    config(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted, why = {
            "port": (f"127.0.0.1:{taken.getsockname()[1]}", "in use"),
            "unix": ("unix:/no/such/folder/socket", "/no/such/folder"),
            "address": ("192.0.2.77:8111", "assign"),
            "certificate": ("ssl:0:privateKey=/no/key:certKey=/no/cert", "/no/"),
        }[kind]
        done = run(tmp_path, "--http=on", "--config", "c.json", environment={"HEALTH_SOCKET": wanted})
    assert why in refused(done, 1)
    time.sleep(0.1)
    assert not (tmp_path / "ran").exists()


def bad_configs(home: Path) -> dict[str, str]:
    """Make files that are no config; return what has to be said about each."""
    (home / "folder").mkdir()
    (home / "empty.yaml").write_bytes(b"")
    (home / "blank.yaml").write_bytes(b"# nothing\n\n")
    (home / "binary.yaml").write_bytes(bytes(range(256)) * 64)
    (home / "binary.json").write_bytes(os.urandom(4096))
    (home / "large.yaml").write_bytes(b"- {name: a, entrypoint: b}\n" * 400_000)
    (home / "large.json").write_bytes(b"[" + b'{"name": "a"},' * 800_000 + b"{}]")
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    (home / "bomb.yaml").write_text("\n".join([*levels, "processes: *a9"]))
    (home / "deep.yaml").write_bytes(b"[" * 100_000)
    (home / "deep.json").write_bytes(b"[" * 100_000)
    return {
        "folder": "s a directory",
        "missing.yaml": "No such file",
        "empty.yaml": "empty",
        "blank.yaml": "empty",
        "binary.yaml": "binary.yaml",
        "binary.json": "binary.json",
        "large.yaml": "larger than 4 MiB",
        "large.json": "larger than 4 MiB",
        "bomb.yaml": "bomb.yaml",
        "deep.yaml": "deep.yaml",
        "deep.json": "deep.json",
        "/dev/zero": "larger than 4 MiB",
        "c.json/x": "Not a directory",
        "a\nb": "No such file",
    }


def test_bad_configs(tmp_path: Path) -> None:
    """Exit 2, one line on stderr that names the file and the trouble, nothing on stdout, and quickly."""
    config(tmp_path)
    for name, why in bad_configs(tmp_path).items():
        began = time.monotonic()
        line = refused(run(tmp_path, "--config", name))
        assert why in line, (name, line)
        assert time.monotonic() - began < 20, name
        assert len(line) < 1000
    assert not (tmp_path / "ran").exists()


def test_yaml_executes_nothing(tmp_path: Path) -> None:
    """A tag that would make an object in Python is an error like any other."""
    (tmp_path / "c.yaml").write_text("- !!python/object/apply:os.system ['touch ran']\n")
    done = run(tmp_path, "--config", "c.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no tag is known here" in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="takes its rights away, as only root can")
def test_an_unreadable_config(tmp_path: Path) -> None:
    """Exit 2, one line."""
    config(tmp_path)
    (tmp_path / "c.json").chmod(0)
    done = run(tmp_path, "--config", "c.json", before=(*NO_RIGHTS, *PROCWRAP))
    assert refused(done) == "cannot read the config c.json: Permission denied\n"


def test_no_config_at_all(tmp_path: Path) -> None:
    """Exit 2; the message names both ways to give one."""
    environment = {"PROCWRAP_HTTP": "off"}
    line = refused(run(tmp_path, environment=environment))
    assert "--config" in line
    assert "CONFIG" in line


@pytest.mark.parametrize(
    ("words", "environment", "why"),
    [
        (("--confg", "c.json"), {}, "did you mean --config?"),
        (("--config",), {}, "needs a value"),
        (("--debug=perhaps", "--config", "c.json"), {}, "--debug"),
        (("--graceful-shutdown-deadline", "10", "--config", "c.json"), {}, "10s"),
        (("--config", "c.json", "stray"), {}, "stray"),
        (("--config", "c.json", "--"), {}, "nothing follows --"),
        (("--config", "c.json", "--", "true"), {}, "exclude each other"),
        (("--config", "c.json", "--http", "on"), {"HEALTH_SOCKET": "nonsense:port:x"}, "HEALTH_SOCKET"),
        (("--config", "c.json"), {"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
        (("--config", "c.json"), {"PROCWRAP_WAIT_DEADLINE": "soon"}, "PROCWRAP_WAIT_DEADLINE"),
        (("--config", "c.json", "--skip-commands", "a"), {}, "nothing is left to run"),
    ],
)
def test_usage_errors(tmp_path: Path, words: Sequence[str], environment: dict[str, str], why: str) -> None:
    """Exit 2, one line that says what is wrong, and nothing was started."""
    config(tmp_path)
    assert why in refused(run(tmp_path, *words, environment=environment))
    assert not (tmp_path / "ran").exists()


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """One line each, with its place; and nothing was started."""
    (tmp_path / "c.yaml").write_text(
        "- {name: a, entrypoint: touch, args: [ran]}\n"
        "- {name: a, entrypiont: x}\n"
        "- {name: b, entrypoint: c, replicas: no}\n"
    )
    done = run(tmp_path, "--config", "c.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 4
    assert all(re.match(r"c\.yaml:\d+:\d+: ", line) for line in done.stderr.splitlines())
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("closed", ["0<&-", "1>&- 2>&-"])
def test_closed_descriptors(tmp_path: Path, closed: str) -> None:
    """A parent that closes stdin, stdout or stderr does no harm; the exit code arrives."""
    config(tmp_path, [*TOUCH, process("b", "echo out; echo err >&2; sleep 0.2; exit 7")])
    before = ("sh", "-c", f'exec "$@" {closed}', "sh", *PROCWRAP)
    done = run(tmp_path, "--config", "c.json", before=before)
    assert done.returncode == 7
    assert (tmp_path / "ran").exists()
    assert done.stderr == ""
    assert run(tmp_path, "--config", "missing", before=before).returncode == 2
    assert run(tmp_path, "--version", before=before).returncode == 0


def test_a_readiness_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A warning, once; the processes run all the same."""
    config(tmp_path, [process("a", "echo a; sleep 0.3")])
    done = run(tmp_path, "--config", "c.json", "--readiness-file", "/proc/no/such")
    assert done.returncode == 0
    assert done.stdout.count("cannot write the readiness file /proc/no/such") == 1
    assert "msg=a " in done.stdout


def test_it_needs_no_writable_place(tmp_path: Path) -> None:
    """A read-only root file system, no home, no user of that number: it runs."""
    config(tmp_path)
    environment = {"HOME": "/no/home", "PROCWRAP_READINESS_FILE": "/proc/ready", "TMPDIR": "/no/tmp"}
    assert run(tmp_path, "--config", "c.json", environment=environment).returncode == 0
