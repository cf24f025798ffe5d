"""The wall clock jumps, as it does when a machine wakes up or NTP corrects it: nobody's timers notice."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from tests.support.hosted import Hosted, process
from tests.support.plans import STUBBORN

pytestmark = [
    pytest.mark.alone,
    pytest.mark.integration,
    pytest.mark.usefixtures("nothing_left"),
    pytest.mark.skipif(
        shutil.which("cc") is None and os.environ.get("CI") != "true",
        reason="makes a library with a C compiler",
    ),
]

JUMPING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

/* The offset stands in a file that is read each time. */
static long offset(void) {
    long found = 0;
    FILE *file = fopen(getenv("JUMP"), "re");
    if (file != NULL) {
        if (fscanf(file, "%ld", &found) != 1) found = 0;
        fclose(file);
    }
    return found;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*original)(clockid_t, struct timespec *);
    if (original == NULL) original = dlsym(RTLD_NEXT, "clock_gettime");
    int result = original(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += offset();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *into) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (into != NULL) *into = found.tv_sec;
    return found.tv_sec;
}
"""
"""A wall clock that a test can set, for one program alone."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The library with the clock."""
    home = tmp_path_factory.mktemp("clock")
    (home / "clock.c").write_text(JUMPING)
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", "clock.so", "clock.c", "-ldl"]
    subprocess.run(command, cwd=home, check=True)
    return str(home / "clock.so")


def test_jumps_of_a_day(tmp_path: Path, library: str) -> None:
    """Back and ahead: pauses, probes and deadlines take as long as ever; only the log tells another time."""
    jump, healthy = tmp_path / "jump", tmp_path / "healthy"
    jump.write_text("0")
    probe = {"delay": "0s", "period": "100ms", "startupDeadline": "1m", "file": {"path": str(healthy)}}
    plan = [
        process(
            "again", "exit 1", restartPolicy="always", restartBackoff={"initial": "300ms", "max": "300ms"}
        ),
        process("probed", "exec sleep 600", readiness=probe),
        process("stubborn", STUBBORN, stopTimeout="700ms"),
        process("other", "exec sleep 600"),
    ]
    environment = {"LD_PRELOAD": library, "JUMP": str(jump)}
    with Hosted(tmp_path, plan, environment=environment, http=True) as hosted:
        hosted.until(lambda: hosted.lines("stubborn") and len(hosted.pids_of("again")) >= 2)
        for seconds in (-86_400, 86_400):
            before, count = day_of(hosted), len(hosted.pids_of("again"))
            jump.write_text(str(seconds))
            began = time.monotonic()
            restarted_twice = partial(has_started, hosted, count + 3)
            hosted.until(restarted_twice)
            assert 0.6 <= time.monotonic() - began < 15
            assert day_of(hosted) != before
        assert hosted.get("/readiness?wait=200ms")[0] == 503
        healthy.touch()
        hosted.until(lambda: hosted.get("/status")[1]["probed"])
        began = time.monotonic()
        assert hosted.end() == 0
        assert 0.7 <= time.monotonic() - began < 15
        assert hosted.said("did not end within 0.7s")
        lived = [float(r["ran_for"].removesuffix("s")) for r in hosted.records() if "ran_for" in r]
        assert 0 <= min(lived) <= max(lived) < 60


def has_started(hosted: Hosted, count: int) -> bool:
    """Return whether the one that fails was started so often."""
    return len(hosted.pids_of("again")) >= count


def day_of(hosted: Hosted) -> str:
    """Return the date in the last record."""
    found = re.search(r"\d{4}-\d\d-\d\d", hosted.records()[-1]["time"])
    assert found is not None
    return found[0]
