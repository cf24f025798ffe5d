"""Log records of a real procwrap at a server that takes them as Loki does, and misbehaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGINT
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.hosted import PATIENCE, ROOT, Hosted, process, python
from tests.support.procfs import status
from tests.support.servers.loki import lines_of
from tests.support.servers.moods import Moody

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

LONG = bool(os.environ.get("PROCWRAP_LONG"))
SECRET = "hunter2-hunter2"
POD = {"POD_NAME": "web-1", "POD_NAMESPACE": "shop", "NODE_NAME": "n1"}
MIB = 1024 * 1024
QUEUE = 64 * MIB

# Writes so many numbered lines a second, each by itself, and says in a file how long that took.
PACED = """
import json, os, sys, time
rate, seconds, path = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
began, written, longest, total = time.monotonic(), 0, 0.0, int(rate * seconds)
while written < total:
    due = min(int((time.monotonic() - began) * rate) + 1, total)
    while written < due:
        before = time.monotonic()
        os.write(1, b"line %d of a process that writes about as much as others do in one line\\n" % written)
        longest = max(longest, time.monotonic() - before)
        written += 1
    time.sleep(0.005)
with open(path, "w") as file:
    json.dump({"took": time.monotonic() - began, "longest": longest}, file)
"""
# Writes numbered lines as fast as they are read, once a file is there; says by another one that it is done.
STORM = """
import os, sys, time
while not os.path.exists(sys.argv[2]):
    time.sleep(0.01)
for start in range(0, int(sys.argv[1]), 1000):
    sys.stdout.write("".join(f"line {n} {'x' * 80}\\n" for n in range(start, start + 1000)))
open(sys.argv[3], "w").close()
"""


@pytest.fixture
def loki() -> Iterator[Moody]:
    """A server."""
    with Moody("tests.support.servers.loki") as server:
        yield server


def hosted(home: Path, loki: Moody, *processes: dict[str, Any], **more: Any) -> Hosted:
    """A procwrap that pushes there."""
    return Hosted(home, list(processes), environment={"LOKI_URL": loki.url, **POD}, **more)


def dropped(host: Hosted) -> int:
    """What /metrics says was dropped on the way to Loki."""
    _, text = host.get("/metrics")
    (line,) = [
        line for line in text.splitlines() if line.startswith('procwrap_log_lines_dropped_total{sink="loki"}')
    ]
    return int(float(line.split()[1]))


def resident(host: Hosted) -> int:
    """The largest resident memory so far, in bytes."""
    return int(status(host.process.pid)["VmHWM"].split()[0]) * 1024


def test_everything_arrives(tmp_path: Path, loki: Moody) -> None:
    """Every line of every process and of procwrap itself, once and in order, as it stands on stdout."""
    talks = process(
        "talks", "seq -f 'line %g' 1 5000; seq -f 'bad %g' 1 10 >&2", labels={"k8s.io/team": "core"}
    )
    plan = {
        "processes": [talks, process("ends", "echo 'last words'; printf 'no newline'")],
        "logs": {"labels": {"cluster": "eu1"}},
    }
    with Hosted(tmp_path, plan, environment={"LOKI_URL": loki.url, **POD}) as host:
        assert host.wait() == 0
        lines = host.out.read_text().splitlines()
    for labels in (
        {"name": "talks", "out": "stdout"},
        {"name": "talks", "out": "stderr"},
        {"name": "ends"},
        {"name": "procwrap"},
    ):
        marks = [f" {name}={value}" for name, value in labels.items()]
        assert lines_of(loki, **labels) == [line for line in lines if all(mark in line for mark in marks)]
    streams = [labels for labels, _ in loki.ask("streams") if labels["name"] == "talks"]
    where = {
        "job": "procwrap",
        "namespace": "shop",
        "pod": "web-1",
        "node": "n1",
        "cluster": "eu1",
        "k8s_io_team": "core",
    }
    assert streams == [
        {**where, "name": "talks", "out": "stdout"},
        {**where, "name": "talks", "out": "stderr"},
    ]


def test_who_we_are(tmp_path: Path, loki: Moody) -> None:
    """The tenant, and user and password of the URL, are in headers; the password stands nowhere else."""
    config = {"url": f"http://shop:{SECRET}@127.0.0.1:{loki.port}", "tenant": "shop"}
    plan = {"processes": [process("app", "echo hello")], "logs": {"loki": config}}
    with Hosted(tmp_path, plan, ["--debug"]) as host:
        assert host.wait() == 0
        assert SECRET not in host.told()
    (request,) = loki.ask("requests")
    assert request["x-scope-orgid"] == "shop"
    assert b64decode(request["authorization"].removeprefix("Basic ")).decode() == f"shop:{SECRET}"


def test_the_example(tmp_path: Path, loki: Moody) -> None:
    """The config in the documentation does what it says there."""
    text = (ROOT / "docs/examples/loki.yaml").read_text(encoding="utf-8")
    config = tmp_path / "loki.yaml"
    config.write_text(text.replace("http://loki:3100", loki.url), encoding="utf-8")
    options = ["--config", str(config), "--http", "off", "--readiness-file", str(tmp_path / "ready")]
    with Hosted(tmp_path, None, options) as host:
        host.until(lambda: len(lines_of(loki, name="clock", team="core")) >= 2)
        assert all('msg="it is ' in line for line in lines_of(loki, name="clock"))


MOODS: list[dict[str, Any]] = [
    {"mood": "status", "status": 429, "headers": {"retry-after": "1"}, "times": 1},
    {"mood": "status", "status": 500, "times": 2},
    {"mood": "cut", "times": 1},
    {"mood": "slow", "seconds": 0.2},
    {"mood": "away"},
]


@pytest.mark.parametrize("mood", MOODS, ids=lambda mood: str(mood.get("status", mood["mood"])))
def test_a_server_in_a_mood(tmp_path: Path, loki: Moody, mood: dict[str, Any]) -> None:
    """Whatever it does, it gets everything once and in order in the end, and one line says that it failed."""
    loki.be(**mood)
    app = process("app", "for i in $(seq 1 100); do echo line $i; sleep 0.005; done; exec sleep 600")
    with hosted(tmp_path, loki, app) as host:
        fails = mood["mood"] != "slow"
        if fails:
            host.until(lambda: host.said("cannot send log records"))
        if mood["mood"] == "away":
            loki.be("good")
        host.until(lambda: loki.ask("numbers").get("app") == [*range(1, 101)])
        host.until(lambda: len(host.said("log records reach")) == fails)
        assert len(host.said("cannot send log records")) == fails


def test_refused(tmp_path: Path, loki: Moody) -> None:
    """What the server will never take is counted and told once, with its words; what follows is sent."""
    loki.be("status", status=400, body="entry too far behind\n")
    go = tmp_path / "go"
    app = process("app", f"seq 10; until [ -e {go} ]; do sleep 0.1; done; echo after; exec sleep 600")
    with hosted(tmp_path, loki, app, http=True) as host:
        host.up().until(lambda: dropped(host) >= 10)
        loki.be("good")
        go.touch()
        host.until(lambda: any("msg=after" in line for line in lines_of(loki, name="app")))
        host.until(lambda: loki.ask("count") + dropped(host) == host.out.read_bytes().count(b"\n"))
        (told,) = host.said("cannot send log records")
        assert told.endswith(": 400: entry too far behind; they are lost")


def test_the_end_does_not_wait_for_ever(tmp_path: Path, loki: Moody) -> None:
    """A server that never answers costs two seconds; the log says what was not sent."""
    loki.be("hang")
    with hosted(tmp_path, loki, process("app", "seq 10; exec sleep 600")) as host:
        host.until(lambda: loki.ask("asked"))
        began = time.monotonic()
        assert host.end() == 0
        assert time.monotonic() - began < 6
        assert host.said(r"\d+ log records were not sent to 127.0.0.1:\d+: there was no time left")


def test_no_such_host(tmp_path: Path) -> None:
    """A name that does not exist is one warning and nothing else; stdout has everything."""
    app = process("app", "seq 10; sleep 1")
    with Hosted(tmp_path, [app], environment={"LOKI_URL": "http://no-such-host.invalid"}) as host:
        assert host.wait() == 0
        assert len(host.said("cannot send log records to no-such-host.invalid: ")) == 1
        assert host.lines("app") == [str(number) for number in range(1, 11)]


def test_tls(tmp_path: Path) -> None:
    """A certificate is verified against those that the system trusts; one that is not good is no server."""
    authority = Authority(tmp_path)
    good = str(authority.file)
    with (
        Moody("tests.support.servers.loki", *authority.issue("loki", ["localhost"])) as loki,
        ExitStack() as all_,
    ):
        for name, trusted, url_host in (
            ("good", good, "localhost"),
            ("other", good, "127.0.0.1"),
            ("unknown", "/dev/null", "localhost"),
        ):
            home = tmp_path / name
            home.mkdir()
            environ = {"LOKI_URL": f"https://{url_host}:{loki.port}", "SSL_CERT_FILE": trusted}
            host = all_.enter_context(
                Hosted(home, [process(name, "echo line 1; sleep 600")], environment=environ)
            )
            if name == "good":
                host.until(lambda: loki.ask("numbers") == {"good": [1]})
            else:
                (told,) = host.until(lambda host=host: host.said("cannot send log records"))
                reason = (
                    "certificate verify failed"
                    if name == "unknown"
                    else "its certificate is for another host"
                )
                assert f"TLS failed: {reason};" in told
            host.signal(SIGINT)
        assert loki.ask("numbers") == {"good": [1]}


def test_without_it_nothing_is_paid(tmp_path: Path) -> None:
    """Nothing of it is imported where no server is configured."""
    code = (
        "import sys, procwrap.app, procwrap.optional; print([name for name in sys.modules if 'loki' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "['procwrap.spec.loki']"


@pytest.mark.alone
def test_a_server_that_was_away(tmp_path: Path, loki: Moody) -> None:
    """10,000 lines a second meanwhile: no child is slowed, memory is bounded, nothing is lost uncounted."""
    away = 60 if LONG else 3
    seconds, report = away + 4, tmp_path / "report"
    app = python("app", PACED)
    app["args"] += ["10000", str(seconds), str(report)]
    with hosted(tmp_path, loki, app, process("stays", "exec sleep 600"), http=True) as host:
        host.until(lambda: loki.ask("numbers").get("app"))
        before = resident(host)
        loki.be("away", seconds=away)
        host.until(report.exists, seconds=seconds + PATIENCE)
        all_arrives(host, loki, seconds * 10_000)
        took = json.loads(report.read_text())
        assert LONG or dropped(host) == 0
        assert took["took"] < seconds + 1, took
        grown = resident(host) - before
        assert grown < QUEUE + 16 * MIB
        told = f"{took}, {dropped(host)} dropped, memory {before / MIB:.0f} MiB and {grown / MIB:.0f} more"
        sys.stderr.write(told + "\n")


@pytest.mark.alone
def test_more_than_there_is_room_for(tmp_path: Path, loki: Moody) -> None:
    """A storm while nobody is there: the newest 64 MiB arrive, the rest is counted, memory stays bounded."""
    total, go, report = 800_000, tmp_path / "go", tmp_path / "report"
    app = python("app", STORM)
    app["args"] += [str(total), str(go), str(report)]
    with hosted(tmp_path, loki, app, process("stays", "exec sleep 600"), http=True) as host:
        host.until(lambda: loki.ask("asked"))
        before = resident(host)
        loki.be("away")
        go.touch()
        host.until(report.exists)
        host.until(lambda: dropped(host))
        loki.be("good")
        all_arrives(host, loki, total)
        assert resident(host) - before < QUEUE + 16 * MIB


def all_arrives(host: Hosted, loki: Moody, written: int) -> None:
    """Wait until each record on stdout is in Loki or was dropped; those in Loki are the newest, in order."""
    host.until(lambda: host.out.read_bytes().count(b" name=app ") >= written)
    host.until(lambda: loki.ask("count") + dropped(host) == host.out.read_bytes().count(b"\n"))
    numbers = loki.ask("numbers")["app"]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == written - 1
    assert loki.ask("duplicates") == 0
