from __future__ import annotations

import signal

import pytest

from procwrap.spec.process import Attributes, Credential
from tests.support.configs import messages_of, process_of


def test_every_attribute() -> None:
    """All that the kernel can be told, in our spelling."""
    process = process_of(
        "sysProcAttr: {credential: {uid: 1000, gid: www-data, groups: [44, audio]}, chroot: /jail,"
        " setsid: true,"
        " pdeathsig: SIGKILL, umask: '027', nice: -5, oomScoreAdj: 500, noNewPrivs: true,"
        " rlimits: {nofile: 1024, RLIMIT_CORE: unlimited, as: {soft: 1Gi, hard: -1}, cpu: {soft: 5}}}"
    )
    assert process.attributes == Attributes(
        credential=Credential(1000, "www-data", (44, "audio")),
        chroot="/jail",
        setsid=True,
        pdeathsig=signal.SIGKILL,
        umask=0o27,
        nice=-5,
        oom_score_adj=500,
        rlimits={"nofile": (1024, 1024), "core": (-1, -1), "as": (2**30, -1), "cpu": (5, 5)},
        no_new_privs=True,
    )


def test_the_seed_s_spelling() -> None:
    """Go's field names are good, in any case, with signals as numbers."""
    process = process_of(
        "sysProcAttr: {Credential: {Uid: 1e+03, Gid: 0, Groups: []}, Chroot: /c, Setsid: yes, PDEATHSIG: 9}"
    )
    assert process.attributes == Attributes(Credential(1000, 0, ()), "/c", setsid=True, pdeathsig=9)


def test_umask_without_quotes() -> None:
    """YAML's 022 is the number as it was written, so it is taken."""
    assert process_of("sysProcAttr: {umask: 022}").attributes.umask == 0o22


@pytest.mark.parametrize(
    ("keys", "messages"),
    [
        ("umask: 27", ['umask: expected octal digits such as "027", got 27']),
        ("nice: 20", ["nice: expected a whole number from -20 to 19, got 20"]),
        ("oomScoreAdj: -1001", ["oomScoreAdj: expected a whole number from -1000 to 1000, got -1001"]),
        ("credential: {uid: -1}", ["credential.uid: expected a whole number from 0 to 4294967294, got -1"]),
        ("credential: {uid: 'a b'}", ['credential.uid: expected a number or a name, got "a b"']),
        ("credential: {groups: 44}", ["credential.groups: expected a list, got a number"]),
        ("credential: {user: x}", ["credential.user: unknown key: expected one of uid, gid, groups"]),
        ("setpgid: true", ["setpgid: unknown key: did you mean setsid?"]),
        ("rlimits: [1]", ["rlimits: expected a mapping of resources to limits, got a list"]),
        ("rlimits: {nofiles: 1}", ["rlimits.nofiles: unknown resource: did you mean nofile?"]),
        (
            "rlimits: {nofile: x}",
            ['rlimits.nofile: expected a size such as 10Mi, 256Ki or 4096 (bytes), got "x"'],
        ),
        (
            "rlimits: {nofile: true}",
            ["rlimits.nofile: expected a limit such as 1024, 64Mi or unlimited, got true"],
        ),
        ("rlimits: {nofile: {hard: 1}}", ["rlimits.nofile.soft: is missing"]),
        ("rlimits: {nofile: {soft: 2, hard: 1}}", ["rlimits.nofile: the soft limit is above the hard one"]),
        ("rlimits: {nofile: {soft: -1, hard: 1}}", ["rlimits.nofile: the soft limit is above the hard one"]),
        (
            "rlimits: {nofile: 1, RLIMIT_NOFILE: 2}",
            ["rlimits.RLIMIT_NOFILE: nofile is given twice: keep one of them"],
        ),
        (
            "rlimits: {zebra: 1}",
            [
                (
                    "rlimits.zebra: unknown resource: expected one of as, core, cpu, data, fsize, memlock,"
                    " msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack"
                )
            ],
        ),
    ],
)
def test_errors(keys: str, messages: list[str]) -> None:
    """What the kernel would refuse, or understand otherwise than meant, is told before anything starts."""
    assert messages_of(f"sysProcAttr: {{{keys}}}") == [f"sysProcAttr.{message}" for message in messages]
