"""Restarts and exit codes, as contract and documentation promise them; real processes."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.hosted import Hosted, process
from tests.support.plans import SERVE, restarted

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

TOLERANCE = 0.005
"""Seconds; what the log's milliseconds and a reactor's timer may take off a pause."""


def started_at(hosted: Hosted, name: str) -> list[float]:
    """Return the times of all starts of a process, in seconds."""
    return [
        datetime.fromisoformat(record["time"]).timestamp()
        for record in hosted.records()
        if record["msg"] == "started" and record["process"] == name
    ]


def test_the_restart_policies(tmp_path: Path) -> None:
    """Always, on failure, never; a code among successExitCodes is no failure."""
    never = {"restartPolicy": "never"}
    on_failure = {"restartPolicy": "onFailure"}
    plan = [
        restarted("always_0", "exit 0"),
        restarted("always_1", "exit 1"),
        restarted("failure_0", "exit 0", **on_failure),
        restarted("failure_1", "exit 1", **on_failure),
        restarted("failure_kill", "kill -9 $$", restartPolicy="OnFailure"),
        restarted("failure_3", "exit 3", successExitCodes=[3], **on_failure),
        restarted("never_0", "exit 0", **never),
        restarted("never_1", "exit 1", restartPolicy="Never"),
    ]
    with Hosted(tmp_path, plan) as hosted:
        again = ("always_0", "always_1", "failure_1", "failure_kill")
        hosted.until(lambda: all(len(hosted.pids_of(name)) >= 4 for name in again))
        once = ("failure_0", "failure_3", "never_0", "never_1")
        assert {name: len(hosted.pids_of(name)) for name in once} == dict.fromkeys(once, 1)
        assert hosted.end() == 0


def test_the_pause_before_a_restart_doubles(tmp_path: Path) -> None:
    """From ``initial`` to ``max``, and no start comes before its pause is over."""
    plan = [restarted("a", "exit 1", restartBackoff={"initial": "50ms", "max": "150ms"})]
    with Hosted(tmp_path, plan) as hosted:
        hosted.until(lambda: len(hosted.pids_of("a")) >= 5)
        starts = started_at(hosted, "a")
        pauses = [after - before for before, after in pairwise(starts)]
        for pause, least in zip(pauses, (0.05, 0.1, 0.15, 0.15), strict=False):
            assert pause >= least - TOLERANCE
        assert hosted.said("restarts in")[:4] == [
            f"restarts in {pause}s" for pause in (0.05, 0.1, 0.15, 0.15)
        ]


def test_who_ran_for_long_starts_again_at_once(tmp_path: Path) -> None:
    """A process that ran longer than ``reset`` is restarted without a pause, and the series begins anew."""
    marks = tmp_path / "marks"
    script = f"echo x >> {marks}; [ $(wc -l < {marks}) = 3 ] && sleep 1.4; exit 1"
    backoff = {"initial": "50ms", "max": "10s", "reset": "1s"}
    with Hosted(tmp_path, [restarted("a", script, restartBackoff=backoff)]) as hosted:
        hosted.until(lambda: len(hosted.said("^restarts")) >= 4)
        assert hosted.said("^restarts")[:4] == [
            "restarts in 0.05s",
            "restarts in 0.1s",
            "restarts at once",
            "restarts in 0.05s",
        ]


def test_too_many_restarts_are_given_up(tmp_path: Path) -> None:
    """More than ``count`` in the period: failed for good, and nobody else is disturbed."""
    limit = {"count": 2, "period": "1m"}
    with Hosted(tmp_path, [restarted("a", "exit 4", maxRestarts=limit), process("b", SERVE)]) as hosted:
        hosted.until(lambda: hosted.said("^failed: given up after 2 restarts within 60s: exit code 4"))
        hosted.until(lambda: hosted.lines("b"))
        assert len(hosted.pids_of("a")) == 3
        assert hosted.end() == 0
        assert hosted.lines("b") == ["up", "bye"]


@pytest.mark.parametrize(("own", "code"), [(4, 4), (0, 1)])
def test_too_many_restarts_can_end_it_all(tmp_path: Path, own: int, code: int) -> None:
    """``then: exit`` stops everything; the exit code is the process's, or 1."""
    limit = {"count": 1, "period": "1m", "then": "exit"}
    failing = restarted("a", f"sleep 0.2; exit {own}", maxRestarts=limit)
    with Hosted(tmp_path, [failing, process("b", SERVE)]) as hosted:
        assert hosted.wait() == code
        assert hosted.lines("b") == ["up", "bye"]


@pytest.mark.parametrize(
    ("kind", "script", "code"),
    [
        ("vital", "exit 5", 5),
        ("main", "exit 3", 3),
        ("main", "kill -9 $$", 137),
    ],
)
def test_some_processes_end_it_all(tmp_path: Path, kind: str, script: str, code: int) -> None:
    """The end of a vital or main process stops the others with their stop signal; its code is procwrap's."""
    ending = process("a", f"sleep 0.2; {script}", **{kind: True})
    with Hosted(tmp_path, [ending, restarted("b", SERVE)]) as hosted:
        assert hosted.wait() == code
        assert hosted.lines("b") == ["up", "bye"]


@pytest.mark.parametrize("kind", ["vital", "main"])
def test_an_important_process_that_cannot_be_executed(tmp_path: Path, kind: str) -> None:
    """It ends the whole like any end of it; those that were started before and after it are stopped."""
    missing = process("a", "", entrypoint="/no/such", **{kind: True})
    mark = tmp_path / "mark"
    serve = f"trap 'exit 0' TERM; echo x >> {mark}; sleep 600 & wait"
    plan = [process("b", serve), missing, process("c", serve), process("d", serve, dependsOn=["c"])]
    with Hosted(tmp_path, plan) as hosted:
        assert hosted.wait() == 127
        assert hosted.err.read_bytes() == b""
        assert "bug" not in hosted.out.read_text()


def test_vital_wins_over_the_restart_policy(tmp_path: Path) -> None:
    """A vital process ends the whole for any reason, also when it would be restarted otherwise."""
    with Hosted(tmp_path, [restarted("a", "exit 0", vital=True)]) as hosted:
        assert hosted.wait() == 1
        assert len(hosted.pids_of("a")) == 1


def test_main_ends_it_when_it_exits_for_good(tmp_path: Path) -> None:
    """A main process that is restarted on failure has not ended for good before it succeeds."""
    marks = tmp_path / "marks"
    script = f"echo x >> {marks}; [ $(wc -l < {marks}) = 3 ]"
    main = restarted("a", script, restartPolicy="onFailure", main=True)
    with Hosted(tmp_path, [main, process("b", SERVE)]) as hosted:
        assert hosted.wait() == 0
        assert len(hosted.pids_of("a")) == 3


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        ([process("a", "exit 0"), process("b", "exit 3", successExitCodes=[3])], 0),
        ([process("a", "sleep 1; exit 4"), process("b", "exit 6"), process("c", "exit 0")], 6),
        ([process("a", "", entrypoint="/no/such/program"), process("b", "exit 0")], 127),
        ([process("a", "", entrypoint="/etc/passwd")], 126),
    ],
)
def test_it_ends_when_nothing_can_run_again(tmp_path: Path, plan: list[dict[str, Any]], code: int) -> None:
    """0 if every last exit was a success, else the code of the first that failed, as a shell counts."""
    with Hosted(tmp_path, plan) as hosted:
        assert hosted.wait() == code


def test_a_restart_forgets_nothing_of_what_was_asked(tmp_path: Path) -> None:
    """The fiftieth run has the directory, environment and group of the first, and costs no descriptor."""
    script = 'echo "$A $PWD $(($(cut -d" " -f5 /proc/$$/stat) - $$))"; exit 1'
    plan = restarted(
        "a", script, envs={"A": "b"}, dir="/usr", restartBackoff={"initial": "10ms", "max": "10ms"}
    )
    with Hosted(tmp_path, [plan]) as hosted:
        open_ones = Path(f"/proc/{hosted.process.pid}/fd")
        hosted.until(lambda: len(hosted.lines("a")) >= 10)
        before = len(list(open_ones.iterdir()))
        hosted.until(lambda: len(hosted.lines("a")) >= 50)
        hosted.until(lambda: len(list(open_ones.iterdir())) <= before)
        assert set(hosted.lines("a")) == {"b /usr 0"}
        assert hosted.end() == 0


def test_the_exit_code_of_a_signal(tmp_path: Path) -> None:
    """128 + N, for whatever signal ended it."""
    plan = [process(f"s{number}", f"kill -{number} $$") for number in (1, 2, 6, 9, 11, 13, 15, 34)]
    with Hosted(tmp_path, [process("z", SERVE), *plan]) as hosted:
        hosted.until(lambda: len(hosted.said("^ended by")) == len(plan))
        ends = {r["process"]: int(r["exit_code"]) for r in hosted.records() if "exit_code" in r}
        assert ends == {f"s{number}": 128 + number for number in (1, 2, 6, 9, 11, 13, 15, 34)}
        assert hosted.end() == 0
