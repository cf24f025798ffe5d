"""The notify probe with real processes that say how they are."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tests.support.hosted import Hosted, process, python
from tests.support.plans import QUICK, needs_root

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

EXAMPLE = ROOT / "docs" / "examples" / "probes" / "notify.yaml"
DEBUG = ("--debug",)

SAY = """
import array, os, socket, sys, time
service = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = os.environ.get("NOTIFY_SOCKET", "").replace("@", "\\0", 1)
def say(text, *rights):
    passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", rights))] if rights else []
    service.sendmsg([text.encode()], passed, 0, name)
def until_there(path):
    while not os.path.exists(path): time.sleep(0.02)
"""
"""The beginning of a program that says something about itself."""

READY = {"notify": {}}


def saying(name: str, code: str, **settings: Any) -> dict[str, Any]:
    """The config of a Python process that says something, and then lives on."""
    checks = {"readiness": READY} if "readiness" not in settings else {}
    return python(name, SAY + code + "\ntime.sleep(600)", **checks, **settings)


def shell(name: str, script: str, **settings: Any) -> dict[str, Any]:
    """The config of a shell that says something, and then lives on."""
    return process(name, script + "\nexec sleep 600", **settings)


def healthy(hosted: Hosted, name: str) -> list[dict[str, str]]:
    """The records that say that a process became healthy; they are there with ``--debug``."""
    return about(hosted, name, "running")


def about(hosted: Hosted, name: str, text: str) -> list[dict[str, str]]:
    """What procwrap says about a process with this text in it."""
    records = [record for record in hosted.records() if record["name"] == "procwrap"]
    return [record for record in records if record.get("process") == name and text in record["msg"]]


def test_what_they_say(tmp_path: Path) -> None:
    """READY=1 is seen at once, not after the delay of 5 s; a status is told; a barrier is completed."""
    barrier = """
say("STATUS=loading")
say("MAINPID=1\\nREADY=1\\nSTATUS=at work")
import select
reading, writing = os.pipe()
say("BARRIER=1", writing)
os.close(writing)
passed = select.poll()
passed.register(reading, select.POLLHUP)
print("barrier", bool(passed.poll(20_000)), flush=True)
"""
    began = time.monotonic()
    with Hosted(tmp_path, [saying("api", barrier)]) as hosted:
        hosted.up()
        assert time.monotonic() - began < 4.5
        hosted.until(lambda: hosted.said("barrier True", name="api"))
        hosted.until(lambda: about(hosted, "api", "says: at work"))
        assert about(hosted, "api", "says: loading")
        assert len(about(hosted, "api", "MAINPID is ignored")) == 1
        assert not about(hosted, "api", "not ready yet")
        assert hosted.end() == 0


def test_who_gets_the_socket(tmp_path: Path) -> None:
    """Who has the probe, and nobody else: procwrap's own socket is for procwrap alone."""
    show = "env | grep -E '^(NOTIFY|WATCHDOG)' | sort | tr '\\n' ' '; echo end"
    own = {"NOTIFY_SOCKET": "/run/own", "WATCHDOG_USEC": "7000000", "WATCHDOG_PID": "1"}
    watched = {"liveness": {"notify": {"watchdog": "90s"}, "startupDeadline": "60s"}}
    plan = [
        process("plain", show),
        process("descriptor", show, readiness={"notify": {"fd": 3}, "restartOnFailure": False}),
        process("given", show, envs={"NOTIFY_SOCKET": "/mine"}),
        shell("asked", show, **watched),
    ]
    with Hosted(tmp_path, plan, environment=own) as hosted:
        (asked,) = hosted.until(lambda: hosted.said("end", name="asked"))
        for name in ("plain", "descriptor"):
            assert hosted.until(lambda name=name: hosted.lines(name)) == ["end"]
        assert hosted.until(lambda: hosted.lines("given")) == ["NOTIFY_SOCKET=/mine end"]
        where, interval, _ = asked.split()
        assert where.split("=")[1].startswith(("/run/procwrap-", "/tmp/procwrap-"))
        assert interval == "WATCHDOG_USEC=90000000"
        path = Path(where.split("=")[1])
        assert list(path.parent.iterdir()) == [path]
        hosted.end()
    assert not path.parent.exists()


def test_a_wrapped_command_is_left_alone(tmp_path: Path) -> None:
    """It is the service then: it gets what procwrap was given."""
    command = ["--", "sh", "-c", "echo $NOTIFY_SOCKET $WATCHDOG_USEC $WATCHDOG_PID"]
    own = {"NOTIFY_SOCKET": "/run/own", "WATCHDOG_USEC": "7", "WATCHDOG_PID": "1"}
    with Hosted(tmp_path, None, command, environment=own) as hosted:
        assert hosted.wait() == 0
    assert hosted.out.read_text() == "/run/own 7 1\n"


def test_descriptors(tmp_path: Path) -> None:
    """A line makes ready, at once; 3 is in use in procwrap, 100 and 9 are not; nothing else is open."""
    # The shell opens the directory itself, as the lowest free number.
    script = "echo /proc/$$/fd/*; sleep 0.2; echo ready >&%d; exec %d>&-"
    checks = {"notify": {"fd": 3}, "startupDeadline": "60s"}
    plan = [shell("three", script % (3, 3), readiness=checks)]
    hundred = (
        "import os; print(sorted(map(int, os.listdir('/proc/self/fd'))), flush=True); os.write(100, b'x\\n')"
    )
    plan.append(
        python("hundred", hundred + "\nimport time; time.sleep(600)", readiness={"notify": {"fd": 100}})
    )
    nine = {"readiness": {"notify": {"fd": 9}}, "sysProcAttr": {"umask": "027", "rlimits": {"nofile": "9"}}}
    plan.append(process("nine", "umask; echo ready >&9", **nine) | {"entrypoint": "/bin/bash"})
    began = time.monotonic()
    with Hosted(tmp_path, plan, DEBUG) as hosted:
        for name in ("three", "hundred"):
            hosted.until(lambda name=name: healthy(hosted, name))
        assert time.monotonic() - began < 4.5
        open_ones = [word.rsplit("/", 1)[1] for word in hosted.lines("three")[0].split()]
        assert set(open_ones) - {"255"} <= {"0", "1", "2", "3", "4", "10"}
        assert "3" in open_ones
        numbers = set(eval(hosted.lines("hundred")[0]))
        assert numbers - {3} == {0, 1, 2, 100}
        hosted.until(lambda: hosted.said("0027", name="nine"))
        hosted.end()


def test_a_descriptor_over_the_limit(tmp_path: Path) -> None:
    """That start fails, with a line that names it."""
    plan = [process("high", "echo never", readiness={"notify": {"fd": 900}})]
    with Hosted(tmp_path, plan, prefix=["prlimit", "--nofile=500:500"]) as hosted:
        assert hosted.wait() == 126
    assert hosted.said("cannot give it descriptor 900: over the limit of open files")
    assert hosted.lines("high") == []


def test_no_line_and_then_one(tmp_path: Path) -> None:
    """Closed without a line it never becomes ready, and is restarted; the new run begins anew."""
    script = f"if [ -e {tmp_path}/again ]; then echo up >&3; else touch {tmp_path}/again; fi; exec 3>&-"
    check = {"delay": "100ms", "period": "50ms", "failureThreshold": 2, "notify": {"fd": 3}}
    settings = {"restartPolicy": "always", "restartBackoff": QUICK}
    with Hosted(tmp_path, [shell("api", script, readiness=check, **settings)], DEBUG) as hosted:
        hosted.up()
        reason = "notify: closed without a line, expected a line on descriptor 3"
        assert about(hosted, "api", f"readiness failed 2 times in a row: {reason}")
        assert len(hosted.pids_of("api")) == 2
        hosted.end()


def test_strangers(tmp_path: Path) -> None:
    """Another process that knows the socket is refused and told once; a helper of its own counts."""
    victim = f"""
open({str(tmp_path / "where")!r}, "w").write(name)
until_there({str(tmp_path / "seen")!r})
import subprocess
helper = "import socket,sys; socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', sys.argv[1])"
subprocess.run([sys.executable, "-c", helper, name], start_new_session=True)
print("helped", flush=True)
"""
    liar = f"""
until_there({str(tmp_path / "where")!r})
time.sleep(0.05)
name = open({str(tmp_path / "where")!r}).read()
for _ in range(5): say("READY=1\\nSTATUS=a lie")
"""
    check = {"delay": "50ms", "period": "50ms", "failureThreshold": 10_000, "notify": {}}
    plan = [saying("victim", victim, readiness=check), python("liar", SAY + liar + "time.sleep(600)")]
    with Hosted(tmp_path, plan, DEBUG) as hosted:
        hosted.until(lambda: about(hosted, "victim", "not ready yet (5 from strangers refused)"))
        assert not healthy(hosted, "victim")
        (tmp_path / "seen").touch()
        liars = hosted.pid_of("liar")
        (told,) = about(hosted, "victim", "was refused")
        assert f"a notification of pid {liars} (uid {os.getuid()}) was refused" in told["msg"]
        hosted.until(lambda: healthy(hosted, "victim"))
        hosted.until(lambda: hosted.said("helped", name="victim"))
        assert not about(hosted, "victim", "a lie")
        hosted.end()


@needs_root
def test_other_users_and_roots(tmp_path: Path) -> None:
    """A process with another user, one that changes it by itself, and one with a root of its own."""
    tmp_path.chmod(0o755)
    by_itself = "os.setgroups([]); os.setgid(65533); os.setuid(65533); say('READY=1')"
    # Another user may not be able to reach this Python; perl is part of every Debian.
    perl = (
        "exec perl -MSocket -e 'socket(S, PF_UNIX, SOCK_DGRAM, 0); "
        "send(S, q(READY=1), 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die $!; sleep 600'"
    )
    jail = "print(os.environ['NOTIFY_SOCKET'], flush=True); say('READY=1')"
    plan = [
        process("user", perl, sysProcAttr={"credential": {"uid": 65534}}, readiness=READY),
        saying("changing", by_itself),
        saying("jailed", jail, sysProcAttr={"chroot": "/"}),
        shell(
            "line",
            "id -u; echo up >&3",
            readiness={"notify": {"fd": 3}},
            sysProcAttr={"credential": {"uid": 65534}, "chroot": "/", "noNewPrivs": True},
        ),
    ]
    with Hosted(tmp_path, plan) as hosted:
        hosted.up()
        assert hosted.until(lambda: hosted.lines("jailed"))[0].startswith("@procwrap-")
        hosted.until(lambda: hosted.lines("line") == ["65534"])
        hosted.end()


def test_watchdog(tmp_path: Path) -> None:
    """One that goes on feeding it lives; one that stops is restarted; a trigger is seen at once."""
    fed = "say('READY=1')\nwhile True:\n say('WATCHDOG=1'); time.sleep(0.3)"
    stopping = "say('READY=1')\nfor _ in range(3):\n say('WATCHDOG=1'); time.sleep(0.1)"
    breaks = tmp_path / "breaks"
    broken = f"say('READY=1')\nuntil_there({str(breaks)!r})\n"
    broken += "say('WATCHDOG=trigger\\nSTATUS=broken')"
    startup = {"startup": {"startupDeadline": "60s", "period": "10s", **READY}}
    watched = {
        **startup,
        "liveness": {"period": "100ms", "failureThreshold": 1, "notify": {"watchdog": "1500ms"}},
        "restartPolicy": "always",
        "restartBackoff": QUICK,
    }
    patient = {"liveness": {"period": "600s", "failureThreshold": 1, **READY}, **startup}
    plan = [
        saying("fed", fed, **watched),
        saying("stopping", stopping, **watched),
        saying("broken", broken, **{**watched, **patient}),
    ]
    with Hosted(tmp_path, plan, DEBUG) as hosted:
        hosted.until(lambda: healthy(hosted, "broken"))
        breaks.touch()
        hosted.until(lambda: len(hosted.pids_of("broken")) >= 2)
        assert about(hosted, "broken", "it said WATCHDOG=trigger (it says: broken)")
        hosted.until(lambda: len(hosted.pids_of("stopping")) >= 2)
        reason = r"liveness failed once: notify: no WATCHDOG=1 for"
        assert about(hosted, "stopping", reason)
        assert len(hosted.pids_of("fed")) == 1
        hosted.end()


def test_stopping_and_patience(tmp_path: Path) -> None:
    """STOPPING=1 makes it unhealthy at once; patience keeps one that is slow to start or to end alive."""
    told = tmp_path / "stop"
    leaving = f"""
say("READY=1")
until_there({str(told)!r})
say("STOPPING=1\\nSTATUS=draining\\nEXTEND_TIMEOUT_USEC=600000000")
"""
    loaded = tmp_path / "loaded"
    slow = f"""
while not os.path.exists({str(loaded)!r}):
    say("EXTEND_TIMEOUT_USEC=20000000")
    time.sleep(0.1)
say("READY=1")
"""
    check = {"delay": "2s", "period": "50ms", "failureThreshold": 1, **READY}
    slower = {"delay": "2s", "period": "50ms", "failureThreshold": 2, **READY}
    plan = [
        saying("leaving", leaving, readiness=check),
        saying("slow", slow, readiness=check),
        saying("silent", "", readiness=slower, restartPolicy="always", restartBackoff=QUICK),
    ]
    with Hosted(tmp_path, plan, DEBUG, http=True) as hosted:
        hosted.until(lambda: len(hosted.pids_of("silent")) >= 2)
        hosted.until(lambda: len(about(hosted, "slow", "not ready yet")) >= 3)
        loaded.touch()
        hosted.until(lambda: healthy(hosted, "leaving") and healthy(hosted, "slow"))
        assert len(hosted.pids_of("slow")) == 1
        told.touch()
        hosted.until(lambda: about(hosted, "leaving", "it said STOPPING=1 (it says: draining)"))
        hosted.until(lambda: about(hosted, "leaving", "unhealthy"))
        assert hosted.get("/readiness")[0] == 503
        time.sleep(0.5)
        assert len(hosted.pids_of("leaving")) == 1
        assert not about(hosted, "leaving", "stopping")
        hosted.end()


def test_what_an_earlier_run_still_says(tmp_path: Path) -> None:
    """A helper that outlives its run speaks to nobody: the new run is not ready because of it."""
    code = f"""
if os.path.exists({str(tmp_path / "first")!r}):
    open({str(tmp_path / "second")!r}, "w").close()
    time.sleep(600)
open({str(tmp_path / "first")!r}, "w").close()
if os.fork(): os._exit(0)
os.setsid()
until_there({str(tmp_path / "second")!r})
try:
    say("READY=1")
except OSError as error:
    print(type(error).__name__, flush=True)
os._exit(0)
"""
    check = {"delay": "0s", "period": "50ms", "startupDeadline": "600s", **READY}
    settings = {"restartPolicy": "always", "restartBackoff": QUICK, "readiness": check}
    with Hosted(tmp_path, [python("api", SAY + code, **settings)], DEBUG) as hosted:
        hosted.until(lambda: hosted.lines("api"))
        assert hosted.lines("api")[0] in ("FileNotFoundError", "ConnectionRefusedError")
        time.sleep(0.2)
        assert not healthy(hosted, "api")
        assert len(hosted.pids_of("api")) == 2
        hosted.end()


@pytest.mark.alone
def test_a_flood(tmp_path: Path) -> None:
    """10,000 messages a second: HTTP, the neighbours' probes and their watchdogs keep their time."""
    flood = """
service.setblocking(False)
say("READY=1")
until, sent, tried = time.monotonic() + 1.5, 0, 0
while time.monotonic() < until:
    tried += 1
    try:
        say("STATUS=%d\\nX=" % tried + "\\xff" * 1900)
        sent += 1
    except BlockingIOError:
        continue
service.setblocking(True)
say("STATUS=the last one")
print(sent, tried, flush=True)
"""
    watched = "say('READY=1')\nwhile True:\n say('WATCHDOG=1'); time.sleep(0.02)"
    liveness = {
        "period": "50ms",
        "failureThreshold": 1,
        "notify": {"watchdog": "1s"},
        "startupDeadline": "60s",
    }
    looking = {"delay": "0s", "period": "100ms", "file": {"path": "/"}}
    plan = [
        saying("loud", flood),
        saying("watched", watched, liveness=liveness),
        process("neighbour", "exec sleep 600", readiness=looking),
    ]
    with Hosted(tmp_path, plan, DEBUG, http=True) as hosted:
        hosted.until(lambda: healthy(hosted, "loud") and healthy(hosted, "watched"))
        took = []
        while not hosted.lines("loud"):
            began = time.monotonic()
            assert hosted.get("/liveness")[0] == 200
            took.append(time.monotonic() - began)
            time.sleep(0.02)
        hosted.until(lambda: about(hosted, "loud", "says: the last one"))
        assert sorted(took)[len(took) * 9 // 10] < 0.2, took
        assert len(about(hosted, "loud", "says: ")) < 10
        assert len(hosted.pids_of("watched")) == 1
        assert not about(hosted, "watched", "WATCHDOG=1 for")
        hosted.end()


def test_a_hundred_restarts(tmp_path: Path) -> None:
    """Neither descriptors nor sockets pile up."""
    checks = {"readiness": {"notify": {"fd": 3}}, "liveness": {"startupDeadline": "60s", **READY}}
    backoff = {"initial": "10ms", "max": "10ms"}
    plan = [
        process(
            "short", "echo $NOTIFY_SOCKET; exit 1", restartPolicy="always", restartBackoff=backoff, **checks
        )
    ]
    with Hosted(tmp_path, plan) as hosted:

        def starts() -> int:
            return hosted.out.read_bytes().count(b"msg=started")

        def held(after: int) -> int:
            """The fewest descriptors that were open during some starts: many more are while it forks."""
            hosted.until(lambda: starts() >= after)
            samples = []
            while starts() < after + 10:
                samples.append(len(os.listdir(f"/proc/{hosted.process.pid}/fd")))
                time.sleep(0.002)
            return min(samples)

        first = held(10)
        assert held(100) == first
        place = Path(hosted.lines("short")[0]).parent
        assert len(list(place.iterdir())) <= 1
        hosted.end()
    assert not place.exists()


def test_the_example(tmp_path: Path) -> None:
    """The config of the reference page does what it says."""
    options = ["--config", str(EXAMPLE), "--readiness-file", str(tmp_path / "ready"), "--http", "off"]
    with Hosted(tmp_path, None, options) as hosted:
        hosted.up()
        hosted.until(lambda: about(hosted, "worker", "says: at work"))
        time.sleep(2.5)
        assert len(hosted.pids_of("worker")) == 1
        assert hosted.end() == 0
