"""What a process is born with."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, process, python
from tests.support.plans import NO_RIGHTS, STATUS, errors, finished, needs_root
from tests.support.procfs import fields

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

DESCRIPTORS = """
import os, stat
for fd in sorted(map(int, os.listdir("/proc/self/fd"))):
    try:
        print(fd, os.readlink(f"/proc/self/fd/{fd}").split(":")[0], flush=True)
    except FileNotFoundError:
        pass  # that of the listing itself
"""
ADVERSITY = """
import os, signal, sys
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Executes a command with every signal ignored and blocked, as careless parents do."""

SIGNALS = sum(1 << number - 1 for number in signal.valid_signals())
"""All but 32 and 33, which are the C library's own: its posix_spawn(3) leaves them ignored, and Python 3.13
uses that for the processes between this one and procwrap."""


def told(hosted: Hosted, name: str) -> dict[str, str]:
    """Return what a process printed of its /proc/self/status."""
    return fields("\n".join(hosted.lines(name)))


def test_the_environment(tmp_path: Path) -> None:
    """Our own, then ``envs``, then the env file; quotes, ``export`` and comments as a shell reads them."""
    file = tmp_path / "env"
    file.write_text("# comment\n\nexport C=\"from 'file'\"\nD='a # b'\nB=file # not this\n")
    script = 'echo "$PROCWRAP_TEST_A|$A|$B|$C|$D"; env | grep -c "export" || true'
    plan = process("a", script, envs={"A": "envs", "B": "envs"}, envsFile=str(file))
    with Hosted(tmp_path, [plan], environment={"PROCWRAP_TEST_A": "own", "A": "own"}) as hosted:
        assert hosted.wait() == 0
    assert hosted.lines("a") == ["own|envs|file|from 'file'|a # b", "0"]


def test_the_env_file_is_read_at_every_start(tmp_path: Path) -> None:
    """What a sidecar writes there counts from the next start on; a bad line stops that start."""
    file = tmp_path / "env"
    file.write_text("V=1\n")
    script = f'echo "$V"; printf "V=2\\n\\n" > {file}; [ "$V" = 1 ] || echo oops >> {file}; exit 1'
    backoff = {"initial": "20ms", "max": "20ms"}
    plan = process("a", script, envsFile=str(file), restartPolicy="always", restartBackoff=backoff)
    with Hosted(tmp_path, [plan, process("b", "sleep 600")]) as hosted:
        hosted.until(lambda: hosted.said("envsFile .*, line 3: expected NAME=value"))
        assert hosted.lines("a") == ["1", "2"]
        # At one stroke: a start in between must not find half of it.
        (tmp_path / "new").write_text("V=3\n")
        (tmp_path / "new").replace(file)
        hosted.until(lambda: "3" in hosted.lines("a"))
        assert hosted.end() == 0


def test_an_env_file_that_is_missing_stops_that_start(tmp_path: Path) -> None:
    """Never a process without its secrets; the others are not disturbed."""
    hosted = finished(tmp_path, process("a", "echo a", envsFile="/no/env"), process("b", "echo b"))
    assert hosted.process.returncode == 126
    assert errors(hosted) == {"a": "cannot read envsFile /no/env: No such file or directory"}
    assert (hosted.lines("a"), hosted.lines("b")) == ([], ["b"])


def test_the_entrypoint_is_looked_up_in_the_path_of_the_child(tmp_path: Path) -> None:
    """Its own PATH, from its own directory."""
    for place in ("bin", "work"):
        (tmp_path / place).mkdir()
        tool = tmp_path / place / "tool"
        tool.write_text(f"#!/bin/sh\necho {place} $PWD\n")
        tool.chmod(0o755)
    work = str(tmp_path / "work")
    plan: list[dict[str, Any]] = [
        {"name": "path", "entrypoint": "tool", "envs": {"PATH": str(tmp_path / "bin")}, "dir": "/"},
        {"name": "relative", "entrypoint": "./tool", "dir": work},
        {"name": "neither", "entrypoint": "tool", "dir": work},
    ]
    hosted = finished(tmp_path, *({**item, "restartPolicy": "never"} for item in plan))
    assert hosted.lines("path") == ["bin /"]
    assert hosted.lines("relative") == [f"work {work}"]
    assert errors(hosted) == {"neither": f"cannot execute tool: not found in PATH={os.environ['PATH']}"}
    assert hosted.process.returncode == 127


def test_a_child_has_its_own_group_and_no_input(tmp_path: Path) -> None:
    """Leader of its own process group, stdin /dev/null, two pipes for its output, and nothing else open."""
    group = "import os; print(os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid(), flush=True)"
    probe = {"delay": "0s", "period": "30ms", "exec": {"command": {
        "entrypoint": sys.executable,
        "args": ["-c", f"import sys; sys.stdout = open({str(tmp_path / 'probe')!r}, 'w')\n{DESCRIPTORS}"],
    }}}  # fmt: skip
    plan = [
        python("a", group + DESCRIPTORS),
        python("b", group + DESCRIPTORS, sysProcAttr={"setsid": True, "umask": "022"}),
        process("c", "exec sleep 600", readiness=probe),
    ]
    # What the one who starts procwrap leaves open must not leak either.
    prefix = ("sh", "-c", 'exec 5</etc/passwd 6>extra 9</dev/zero; exec "$@"', "sh")
    with Hosted(tmp_path, plan, prefix=prefix) as hosted:
        hosted.up()
        open_ones = ["0 /dev/null", "1 pipe", "2 pipe"]
        hosted.until(lambda: hosted.lines("a") == ["True False", *open_ones])
        hosted.until(lambda: hosted.lines("b") == ["True True", *open_ones])
        seen = (tmp_path / "probe").read_text().splitlines()
        assert [line for line in seen if not line.endswith("probe")] == open_ones
        assert hosted.end() == 0


def test_a_child_inherits_no_signal_settings(tmp_path: Path) -> None:
    """Nothing blocked and nothing ignored, whatever procwrap itself was started with."""
    look = f"{STATUS} > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/probe"
    command = {"entrypoint": "/bin/sh", "args": ["-c", look]}
    probe = {"delay": "0s", "period": "30ms", "exec": {"command": command}}
    plan = [
        process("plain", f"{STATUS}; sleep 600"),
        process("prepared", f"{STATUS}; sleep 600", sysProcAttr={"umask": "022"}),
        process("late", f"{STATUS}; sleep 600", dependsOn=["plain"]),
        process("probed", "sleep 600", readiness=probe),
    ]
    with Hosted(tmp_path, plan, prefix=(sys.executable, "-c", ADVERSITY)) as hosted:
        hosted.up()
        texts = {item["name"]: told(hosted, item["name"]) for item in plan[:3]}
        texts["probe"] = fields((tmp_path / "probe").read_text())
        for name, seen in texts.items():
            assert {int(seen[key], 16) & SIGNALS for key in ("SigBlk", "SigIgn")} == {0}, name
        # And procwrap itself listens all the same.
        assert hosted.end() == 0


def test_nohup_does_not_reach_the_children(tmp_path: Path) -> None:
    """SIGHUP is not ignored in them."""
    hosted = finished(tmp_path, process("a", STATUS), prefix=("nohup",))
    assert int(told(hosted, "a")["SigIgn"], 16) & SIGNALS == 0


@needs_root
@pytest.mark.root
def test_a_child_is_as_nice_as_usual(tmp_path: Path) -> None:
    """A nice value is procwrap's own; without the right to lower it a child starts all the same."""
    both = (tmp_path / "with", tmp_path / "without")
    for home in both:
        home.mkdir()
    plan = (process("a", "nice"), process("b", "nice", sysProcAttr={"nice": 3}))
    hosted = finished(both[0], *plan, prefix=("nice", "-n", "7"))
    assert (hosted.lines("a"), hosted.lines("b")) == (["0"], ["3"])
    hosted = finished(both[1], plan[0], prefix=(*NO_RIGHTS, "nice", "-n", "7"))
    assert hosted.lines("a") == ["7"]


def test_output_is_what_a_program_expects(tmp_path: Path) -> None:
    """Its output blocks as they do anywhere else: no EAGAIN for who writes a lot."""
    code = """
import fcntl, os
for fd in (0, 1, 2):
    print(fd, bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK), flush=True)
"""
    hosted = finished(tmp_path, python("a", code))
    assert hosted.lines("a") == ["0 False", "1 False", "2 False"]
