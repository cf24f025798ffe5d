"""What holds for every test with real processes."""

from __future__ import annotations

import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.procfs import kill, marked

# A shell that runs all this in the background has its commands ignore SIGINT, and theirs, and so on: what is
# started here shall end by it as it does for a person at a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)

GRACE = 3.0
"""Seconds in which what was killed has to be gone."""

MOST_REPEATED = 3
"""Tests of one run that may pass at the second try: a machine is busy for a moment, but not that often."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where more tests needed a second try than a busy moment explains."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    repeated = [] if reporter is None else reporter.stats.get("rerun", [])
    if len(repeated) > MOST_REPEATED and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(f"{len(repeated)} tests needed a second try; {MOST_REPEATED} are bearable")


@pytest.fixture(autouse=True)
def no_traceback(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever happens: nobody who runs procwrap ever sees a traceback."""
    home: Path | None = None
    if "tmp_path" in request.fixturenames:
        # Now: once another fixture has asked for it, it is gone before this one ends.
        home = request.getfixturevalue("tmp_path")
    yield
    if home is not None:
        for kept in [*home.rglob("stdout"), *home.rglob("stderr")]:
            assert b"Traceback" not in kept.read_bytes(), kept.read_text(errors="replace")[-4000:]


@pytest.fixture
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """When procwrap has ended, nothing that it started, directly or not, is left."""
    mark = f"PROCWRAP_TEST={uuid.uuid4()}"
    monkeypatch.setenv(*mark.split("="))
    yield
    deadline = time.monotonic() + GRACE
    while left := marked(mark):
        if time.monotonic() > deadline:
            names = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left]
            kill(*left)
            raise AssertionError(f"left behind: {dict(zip(left, names, strict=True))}")
        time.sleep(0.02)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for all tests of a module, gone before others measure anything."""
    from tests.support.browser import launched

    with launched() as started:
        yield started
