"""``sysProcAttr``: each attribute is applied, or there is no process."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, alive, process
from tests.support.plans import NO_RIGHTS, STATUS, errors, finished, needs_root
from tests.support.procfs import eventually, fields

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]


def told(hosted: Hosted, name: str) -> dict[str, str]:
    """Return what a process printed of its /proc/self/status."""
    return fields("\n".join(hosted.lines(name)))


@needs_root
@pytest.mark.root
def test_attributes(tmp_path: Path) -> None:
    """Each of ``sysProcAttr``, all at once: nothing that one needs is taken away by another too early."""
    script = f"""
        {STATUS}; umask; nice
        echo "oom: $(cat /proc/self/oom_score_adj)"
        echo "soft: $(ulimit -S -n)"; echo "hard: $(ulimit -H -n)"; echo "core: $(ulimit -c)"
        echo "sid: $(cut -d' ' -f6 /proc/$$/stat) $$"; echo "dir: $PWD"
    """
    attributes = {
        "credential": {"uid": 1234, "gid": 2345, "groups": [7, 9]},
        "umask": "027",
        "nice": -3,
        "oomScoreAdj": 500,
        "rlimits": {"nofile": {"soft": 64, "hard": 128}, "core": 0},
        "noNewPrivs": True,
        "setsid": True,
        "pdeathsig": "SIGKILL",
    }
    hosted = finished(tmp_path, process("a", script, sysProcAttr=attributes, dir="/usr"))
    seen, lines = told(hosted, "a"), hosted.lines("a")
    assert (seen["Uid"].split(), seen["Gid"].split()) == (["1234"] * 4, ["2345"] * 4)
    assert seen["Groups"].split() == ["7", "9"]
    assert (seen["CapEff"], seen["CapPrm"], seen["NoNewPrivs"]) == ("0" * 16, "0" * 16, "1")
    assert (seen["oom"], seen["soft"], seen["hard"], seen["core"]) == ("500", "64", "128", "0")
    assert ("0027" in lines, "-3" in lines, seen["dir"]) == (True, True, "/usr")
    assert len(set(seen["sid"].split())) == 1


@needs_root
@pytest.mark.root
def test_users_and_groups_by_name(tmp_path: Path) -> None:
    """A name brings its primary group along, and root's supplementary groups are never kept."""
    plan = [
        process("user", STATUS, sysProcAttr={"credential": {"uid": "nobody"}}),
        process(
            "group", STATUS, sysProcAttr={"Credential": {"Uid": "nobody", "Gid": "daemon", "Groups": ["tty"]}}
        ),
        process("only_group", STATUS, sysProcAttr={"credential": {"gid": "daemon"}}),
    ]
    hosted = finished(tmp_path, *plan, prefix=("setpriv", "--groups", "0,6,20"))
    user, group, only_group = (told(hosted, item["name"]) for item in plan)
    assert (user["Uid"].split()[0], user["Gid"].split()[0], user["Groups"]) == ("65534", "65534", "")
    assert (group["Uid"].split()[0], group["Gid"].split()[0], group["Groups"]) == ("65534", "1", "5")
    assert (only_group["Uid"].split()[0], only_group["Gid"].split()[0], only_group["Groups"]) == (
        "0",
        "1",
        "",
    )


@needs_root
@pytest.mark.root
def test_chroot(tmp_path: Path) -> None:
    """The directory and the entrypoint are inside; a missing entrypoint there is said as such."""
    jail = tmp_path / "jail"
    for source in [
        "/bin/sh",
        *re.findall(r"(/\S+) \(0x", subprocess.check_output(["ldd", "/bin/sh"], text=True)),
    ]:
        target = jail / source.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    (jail / "srv").mkdir()
    (jail / "srv" / "only-here").touch()
    attributes = {"chroot": str(jail), "credential": {"uid": 1234}}
    plan = [
        process("inside", "pwd; echo *; echo /*", sysProcAttr=attributes, dir="/srv"),
        process("at_root", "pwd", sysProcAttr=attributes),
        process("outside", "echo ran", sysProcAttr=attributes, entrypoint=sys.executable),
        process("no_dir", "echo ran", sysProcAttr=attributes, dir="/usr/lib"),
    ]
    hosted = finished(tmp_path, *plan)
    assert hosted.lines("inside")[:2] == ["/srv", "only-here"]
    assert "/srv" in hosted.lines("inside")[2].split()
    assert hosted.lines("at_root") == ["/"]
    assert errors(hosted) == {
        "outside": f"cannot execute {sys.executable}: no such file",
        "no_dir": "cannot apply dir /usr/lib: No such file or directory",
    }


@needs_root
@pytest.mark.root
def test_what_cannot_be_applied_stops_the_start(tmp_path: Path) -> None:
    """Never a child with more rights than asked for: an error names the attribute, and the others run."""
    wanted: dict[str, tuple[dict[str, Any], str]] = {
        "uid": ({"credential": {"uid": 1234}}, r"groups \[\]: Operation not permitted"),
        "gid": ({"credential": {"gid": 2345}}, r"groups \[\]: Operation not permitted"),
        "groups": ({"credential": {"groups": [7]}}, r"groups \[7\]: Operation not permitted"),
        "chroot": ({"chroot": "/"}, "chroot /: Operation not permitted"),
        "nice": ({"nice": -5}, "nice -5: (Permission denied|Operation not permitted)"),
        "oom": ({"oomScoreAdj": -500}, "oomScoreAdj -500: Permission denied"),
        "rlimit": (
            {"rlimits": {"nofile": 2**40}},
            "rlimits.nofile .*: (Operation not permitted|not allowed.*)",
        ),
        "user": ({"credential": {"uid": "no-such-user"}}, "credential: no such user 'no-such-user'"),
        "group": ({"credential": {"gid": "no-such-group"}}, "credential: no such group 'no-such-group'"),
    }
    plan = [process(name, "echo ran", sysProcAttr=asked) for name, (asked, _) in wanted.items()]
    hosted = finished(tmp_path, *plan, process("fine", "echo ran"), prefix=NO_RIGHTS)
    seen = errors(hosted)
    for name, (_, why) in wanted.items():
        assert re.fullmatch(f"cannot apply {why}", seen[name]), seen[name]
        assert hosted.lines(name) == []
    assert hosted.lines("fine") == ["ran"]
    assert hosted.process.returncode == 126


@needs_root
@pytest.mark.root
def test_a_chroot_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    """As root too."""
    hosted = finished(tmp_path, process("a", "echo ran", sysProcAttr={"chroot": "/no/jail"}))
    assert errors(hosted) == {"a": "cannot apply chroot /no/jail: No such file or directory"}


@needs_root
@pytest.mark.root
def test_a_limit_that_the_kernel_refuses_to_everybody(tmp_path: Path) -> None:
    """More descriptors than fs.nr_open: even root cannot have them."""
    hosted = finished(tmp_path, process("a", "echo ran", sysProcAttr={"rlimits": {"nofile": 2**40}}))
    assert errors(hosted)["a"].startswith("cannot apply rlimits.nofile")
    assert hosted.lines("a") == []


def test_a_child_dies_with_procwrap_if_asked_to(tmp_path: Path) -> None:
    """``pdeathsig``: SIGKILL for procwrap, which it cannot act on, does not leave the child behind."""
    plan = [process("a", "exec sleep 600", sysProcAttr={"pdeathsig": "SIGTERM"})]
    with Hosted(tmp_path, plan) as hosted:
        hosted.up()
        pid = hosted.pid_of("a")
        hosted.process.kill()
        hosted.wait()
        eventually(lambda: not alive(pid))


@needs_root
@pytest.mark.root
def test_a_child_of_another_user_dies_with_procwrap_too(tmp_path: Path) -> None:
    """Changing the user clears what prctl(2) has set: it is set afterwards."""
    attributes = {"pdeathsig": "KILL", "credential": {"uid": 1234, "gid": 1234}}
    with Hosted(tmp_path, [process("a", "exec sleep 600", sysProcAttr=attributes, dir="/")]) as hosted:
        hosted.up()
        pid = hosted.pid_of("a")
        hosted.process.kill()
        hosted.wait()
        eventually(lambda: not alive(pid))
