"""The subcommands that talk to a running procwrap, as somebody at a shell uses them."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.hosted import PATIENCE, ROOT, Hosted, alive, process
from tests.support.rawserver import RawServer, Script, http, saying

pytestmark = [pytest.mark.integration]

PROCWRAP = (sys.executable, "-m", "procwrap")
TOKEN = "open-sesame"
SICK = {"period": "100ms", "delay": "0s", "startupDeadline": "10m", "tcp": {"socket": "127.0.0.1:1"}}
TALKS = "trap 'echo hup' HUP; n=0; while n=$((n+1)); do echo line $n; sleep 0.1; done"
PLAN = [
    process("talks", TALKS, restartPolicy="always"),
    process("sleeps", "echo awake; exec sleep 600", restartPolicy="always"),
    process("sick", "exec sleep 600", readiness=SICK),
    process("job", "echo done"),
]

Done = subprocess.CompletedProcess[str]


def start(*words: str, **options: Any) -> subprocess.Popen[str]:
    """Start a subcommand."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROCWRAP_", "XDG_"))}
    environ = {**kept, "PYTHONPATH": str(ROOT), **options.pop("environ", {})}
    ends = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([*PROCWRAP, *words], env=environ, text=True, **ends)


def run(*words: str, **options: Any) -> Done:
    """Run a subcommand to its end; no traceback, whatever happens."""
    running = start(*words, **options)
    out, err = running.communicate(timeout=60)
    assert "Traceback" not in err, err
    return Done(words, running.returncode, out, err)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    """Return a procwrap whose processes have begun."""
    environment = {"PROCWRAP_API_TOKEN": TOKEN}
    with Hosted(tmp_path_factory.mktemp("host"), PLAN, environment=environment, http=True) as hosted:
        hosted.until(lambda: hosted.lines("talks") and hosted.lines("sleeps") and hosted.lines("job"))
        hosted.until(hosted.control.exists)
        yield hosted


def on(hosted: Hosted, name: str, *words: str, **options: Any) -> Done:
    """Run a subcommand on a procwrap, by its control socket."""
    return run(name, "--socket", str(hosted.control), *words, **options)


def good(done: Done) -> str:
    """Return what was printed by a subcommand that has done what it should, without a word about it."""
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def refused(done: Done, code: int = 1) -> str:
    """Return the only line of a subcommand that could not do what it should."""
    assert (done.returncode, done.stdout) == (code, ""), done
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.rstrip("\n")


@contextmanager
def following(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Start a subcommand that goes on until it is told to end."""
    running = start(*words)
    with running:
        try:
            yield running
        finally:
            running.kill()


def line_with(running: subprocess.Popen[str], text: str) -> str:
    """Read what a subcommand prints until a line has a text in it."""
    assert running.stdout is not None
    for line in running.stdout:
        if text in line:
            return line
    raise AssertionError(f"no line with {text}: {running.communicate(timeout=5)}")


# A host that does not answer as it should


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (saying(b""), "it closed the connection without an answer"),
        (saying(os.urandom(4096)), "it does not speak HTTP"),
        (saying(http(200, b'{"processes": [{"na')), "its answer to GET /api/processes is no JSON"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"), "its answer ended in the middle"),
        (saying(b"HTTP/1.1 200 OK\r\n\r\n", *[b" " * 1024**2] * 66), "its answer is larger than 64 MiB"),
        (saying(http(200, b'{"processes": {}}')), "its answer holds no processes"),
    ],
)
def test_a_host_that_is_none(script: Script, why: str) -> None:
    """Exit code 3, and one line that says what came."""
    with RawServer(script) as server:
        line = refused(run("status", "--socket", server.path), 3)
    assert line == f"cannot talk to what is at {server.path}: {why}"


@pytest.mark.parametrize("words", [("logs", "-f"), ("stop", "a"), ("wait",)])
def test_garbage_for_every_subcommand(words: tuple[str, ...]) -> None:
    """None of them shows a traceback."""
    with RawServer(saying(b"220 smtp.example ESMTP\r\n")) as server:
        done = run(words[0], "--socket", server.path, *words[1:])
    assert done.returncode == 3
    assert "it does not speak HTTP" in done.stderr


def test_no_host() -> None:
    """One line says where it was sought and what to do."""
    line = refused(run("status", environ={"XDG_RUNTIME_DIR": "/nowhere"}), 3)
    advice = "is it running in this container? --url for another"
    assert line == f"no procwrap at /nowhere/procwrap.sock: no such file; {advice}"
    with socket.create_server(("127.0.0.1", 0)) as bound:
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    assert refused(run("reload", "--url", url), 3) == (
        f"no procwrap at {url}: connection refused; is it the right port?"
    )


# A real one


def test_status(host: Hosted) -> None:
    """A table of all processes, and below each that is not well why."""
    host.until(lambda: "  127.0.0.1:1: " in good(on(host, "status")))
    head, *rows = good(on(host, "status")).splitlines()
    assert head.split() == [
        "NAME",
        "STATE",
        "HEALTH",
        "PID",
        "UPTIME",
        "RESTARTS",
        "CPU",
        "MEMORY",
        "LAST",
        "EXIT",
    ]
    cells = {row.split()[0]: row.split()[1:4] for row in rows if not row.startswith(" ")}
    assert cells["talks"][:2] == ["running", "healthy"]
    assert alive(int(cells["talks"][2]))
    assert cells["sick"][:2] == ["starting", "unhealthy"]
    assert cells["job"] == ["exited", "healthy", "-"]
    assert [row for row in rows if row.startswith("  ")] == [
        "  127.0.0.1:1: connection refused, expected to connect"
    ]


def test_status_as_json(host: Hosted) -> None:
    """What the API says, of those that were named."""
    found = json.loads(good(on(host, "status", "job", "-json=true")))
    (job,) = found["processes"]
    assert (job["name"], job["state"], job["lastExit"]["code"]) == ("job", "exited", 0)
    assert found["host"]["version"]


def test_status_on_a_terminal(host: Hosted) -> None:
    """It fits, and has colours unless nobody wants them."""
    for environ, colors in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 50, 0, 0))
        with os.fdopen(theirs, "wb") as terminal:
            on(host, "status", environ=environ, stdout=terminal)
        text = os.read(ours, 65536).decode()
        os.close(ours)
        assert ("\x1b[32mrunning" in text) is colors
        lines = re.sub(r"\x1b\[\d+m", "", text).splitlines()
        assert max(map(len, lines)) <= 50
        assert "NAME" in lines[0]
        assert "LAST EXIT" not in lines[0]


def test_a_name_of_nobody(host: Hosted) -> None:
    """Every subcommand says which one was meant."""
    for words in (
        ("status", "slips"),
        ("logs", "-f", "slips"),
        ("stop", "slips"),
        ("wait", "slips"),
    ):
        assert refused(on(host, *words)) == 'no process is called "slips": did you mean sleeps?', words


def test_orders(tmp_path: Path) -> None:
    """Each waits for what it asks for; what cannot be is refused."""
    plan = [process(name, "exec sleep 600", restartPolicy="always") for name in "ab"]
    with Hosted(tmp_path, plan, http=True) as hosted:
        hosted.up()
        before = hosted.pids_of("a") + hosted.pids_of("b")
        assert sorted(good(on(hosted, "stop", "a", "b")).splitlines()) == [
            "a: stopped: ended by SIGTERM",
            "b: stopped: ended by SIGTERM",
        ]
        assert not any(map(alive, map(int, before)))
        assert refused(on(hosted, "signal", "hup", "a")) == "a does not run, so it cannot get SIGHUP"
        started = good(on(hosted, "start", "a", "--timeout", "20s"))
        assert started == f"a: running, pid {hosted.pids_of('a')[-1]}\n"
        again = json.loads(good(on(hosted, "restart", "a", "--json")))
        assert again == {"name": "a", "state": "running", "pid": int(hosted.pids_of("a")[-1]), "reason": ""}
        assert again["pid"] != int(started.split()[-1])
        assert good(on(hosted, "start", "b", "-no-wait")).startswith("b: ")


def test_an_order_that_is_not_done_in_time(host: Hosted) -> None:
    """Exit code 1, and how far it has come."""
    line = refused(on(host, "restart", "sick", "--timeout", "300ms"))
    assert re.match(r"sick: not done within 0\.3s: (starting, pid \d+|stopping|backoff|waiting)", line)


def test_a_signal(host: Hosted) -> None:
    """It arrives."""
    assert good(on(host, "signal", "1", "talks")) == "talks: sent 1\n"
    host.until(lambda: "hup" in host.lines("talks"))
    assert "did you mean" not in refused(on(host, "signal", "NONE", "talks"), 2)


def test_logs(host: Hosted) -> None:
    """As they stand on stdout, and those of several in the order of their times."""
    found = good(on(host, "logs", "talks", "-n", "3")).encode().splitlines(keepends=True)
    assert len(found) == 3
    host.until(lambda: b"".join(found) in b"".join(kept_lines(host, b" name=talks ")))
    times = [line.split('"')[1] for line in good(on(host, "logs")).splitlines()]
    assert times == sorted(times)
    assert good(on(host, "logs", "job")).endswith("\n")
    assert good(on(host, "logs", "job", "-n", "0")) == ""


def kept_lines(hosted: Hosted, part: bytes) -> list[bytes]:
    """Return the lines on a host's stdout with something in them."""
    return [line for line in hosted.out.read_bytes().splitlines(keepends=True) if part in line]


@pytest.mark.parametrize("words", [("logs", "-f"), ("events", "-f")])
def test_following_ends_quietly(host: Hosted, words: tuple[str, ...]) -> None:
    """With Ctrl-C, exit code 130 and no word about it."""
    with following(words[0], "--socket", str(host.control), *words[1:]) as running:
        line_with(running, "talks")
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=PATIENCE)
    assert (running.returncode, err) == (130, "")


def test_following_nobody_reads(host: Hosted) -> None:
    """``logs -f | head`` ends though the process never prints again."""
    with following("logs", "-f", "--socket", str(host.control), "sleeps") as running:
        line_with(running, "awake")
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.wait(PATIENCE) == 0
        assert running.stderr.read() == ""


def test_following_what_comes(host: Hosted) -> None:
    """Each record once, as fast as it is printed."""
    with following("logs", "-fn0", "--socket", str(host.control), "talks") as running:
        assert running.stdout is not None
        numbers = [int(running.stdout.readline().split("line ")[1].split('"')[0]) for _ in range(5)]
    assert numbers == list(range(numbers[0], numbers[0] + 5))


def test_events(host: Hosted) -> None:
    """What happened, as lines or as JSON; what comes is told at once."""
    lines = [line.split() for line in good(on(host, "events")).splitlines()]
    assert ["job", "state", "exited"] in [line[1:4] for line in lines]
    with following("events", "-f", "-json", "--socket", str(host.control)) as running:
        pid = json.loads(good(on(host, "restart", "sleeps", "--json")))["pid"]
        told = json.loads(line_with(running, f'"pid": {pid}}}'))
    assert (told["event"], told["process"]) == ("started", "sleeps")


def test_wait(host: Hosted) -> None:
    """Until it is true, or the deadline, which says who is missing."""
    good(on(host, "wait", "talks", "sleeps"))
    good(on(host, "wait", "--for", "running"))
    good(on(host, "wait", "--for=exited", "job"))
    expected = "not ready after 1s: sick is starting: 127.0.0.1:1: connection refused, expected to connect"
    host.until(lambda: refused(on(host, "wait", "--timeout", "1s")) == expected)


def visitors(path: Path) -> int:
    """Count the connections to a unix socket that were accepted (state 3 in /proc/net/unix)."""
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return sum(row[5] == "03" and row[7:] == [str(path)] for row in rows)


def test_a_host_that_comes_and_goes(tmp_path: Path) -> None:
    """Waiting may begin before it, and is over with it; whoever follows is told, and ends with 3."""
    with Hosted(tmp_path, [process("a", "echo one; exec sleep 600")], http=True) as hosted:
        good(on(hosted, "wait", "--timeout", "30s"))
        at = ("--socket", str(hosted.control))
        with following("logs", "-f", *at) as reader, following("wait", "--for", "exited", *at) as waiter:
            line_with(reader, "one")
            hosted.until(lambda: visitors(hosted.control) == 2)
            assert hosted.end() == 0
            assert waiter.wait(PATIENCE) == 0
            _, err = reader.communicate(timeout=PATIENCE)
        assert reader.returncode == 3
    lost, gone = err.splitlines()
    assert lost.startswith(f"the connection to {hosted.control} is lost: ")
    assert gone == f"the procwrap at {hosted.control} has gone"


def test_a_connection_that_breaks() -> None:
    """Following goes on, and what was printed is not repeated."""
    begin = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    streams = [b"data: one\n\n", b"data: one\ndata: two\n\n"]

    def script(connection: socket.socket, head: bytes) -> None:
        if b"/logs?" not in head:
            connection.sendall(http(200, b'{"processes": [{"name": "a"}]}'))
            return
        connection.sendall(begin + streams.pop(0))
        if not streams:
            server.stop.wait(PATIENCE)

    with RawServer(script) as server, following("logs", "-f", "--socket", server.path) as running:
        assert running.stdout is not None
        assert [running.stdout.readline() for _ in range(2)] == ["one\n", "two\n"]
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert err.splitlines() == [
        f"the connection to {server.path} is lost: procwrap has ended it; trying again",
        f"connected to {server.path} again",
    ]


def test_reload(tmp_path: Path) -> None:
    """The difference is shown; a config that is wrong changes nothing, and each mistake is a line."""
    plan = [process(name, "exec sleep 600", restartPolicy="always") for name in "abc"]
    with Hosted(tmp_path, plan, http=True) as hosted:
        hosted.up()
        config = tmp_path / "config.json"
        changed = [plan[0], {**plan[1], "args": ["-c", "exec sleep 700"]}, {**plan[2], "name": "d"}]
        config.write_text(json.dumps(changed))
        assert good(on(hosted, "reload")).splitlines() == [
            "added: d",
            "removed: c",
            "restarted: b (args)",
            "unchanged: 1",
        ]
        assert len(hosted.pids_of("a")) == 1
        config.write_text(json.dumps([{**plan[0], "entrypiont": "x"}, plan[1], plan[1]]))
        done = on(hosted, "reload")
        assert (done.returncode, done.stdout) == (1, "")
        assert all(line.startswith(f"{config}:1:") for line in done.stderr.splitlines())
        assert "did you mean entrypoint?" in done.stderr
        assert len(done.stderr.splitlines()) == 2


def test_over_tcp(host: Hosted, tmp_path: Path) -> None:
    """With the token, from wherever it comes; without it nothing but what everybody may know."""
    url = ("--url", f"http://127.0.0.1:{host.port}")
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    for words, environ in ((("--token", TOKEN), {}), ((), {"PROCWRAP_API_TOKEN_FILE": str(file)})):
        assert good(run("__names", *url, *words, environ=environ)).split() == [
            "talks",
            "sleeps",
            "sick",
            "job",
        ]
    assert "the token is missing or wrong" in refused(run("status", *url, "--token", TOKEN[:-1]))
    assert "the token is missing or wrong" in refused(run("stop", "talks", *url))
    good(run("wait", "talks", *url))


def test_over_tls(tmp_path: Path) -> None:
    """The certificate is checked, unless somebody does not want it."""
    authority = Authority(tmp_path)
    cert, key = authority.issue("host", ["127.0.0.1"])
    plan = {
        "processes": [process("a", "exec sleep 600")],
        "api": {"token": TOKEN, "tls": {"key": str(key), "cert": str(cert)}},
    }
    with Hosted(tmp_path, plan, http=True) as hosted:
        hosted.up()
        url = ("--url", f"https://127.0.0.1:{hosted.port}", "--token", TOKEN)
        assert good(run("__names", *url, "--cacert", str(authority.file))) == "a\n"
        assert good(run("__names", *url, "--insecure")) == "a\n"
        assert refused(run("__names", *url), 3).endswith("--cacert FILE names the authority that signed it")
        plain = run("__names", "--url", f"http://127.0.0.1:{hosted.port}", "--token", TOKEN)
        assert "cannot talk to what is at http://" in refused(plain, 3)


def test_a_host_that_never_answers() -> None:
    """After ten seconds that is enough."""
    with RawServer(lambda *_: None) as server:
        server.script = server.silent
        began = time.monotonic()
        line = refused(run("status", "--socket", server.path), 3)
    assert line.endswith("within 10s: it is busy, stopped, or no procwrap")
    assert time.monotonic() - began >= 9.5


@pytest.mark.alone
def test_status_is_fast(host: Hosted) -> None:
    """Python's start included, it is there within 150 ms."""
    good(on(host, "status"))
    took = []
    for _ in range(5):
        began = time.perf_counter()
        good(on(host, "status"))
        took.append(time.perf_counter() - began)
    assert statistics.median(took) <= 0.150, took
