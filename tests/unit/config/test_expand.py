from __future__ import annotations

import pytest

from procwrap.errors import ExitStatus, UsageError
from procwrap.spec.process import Condition, Dependency
from tests.support.configs import plan_of

CONFIG = """\
    logs: {labels: {cluster: eu1, team: all}}
    processes:
      - {name: db, entrypoint: x, replicas: 2, envs: {A: 1, PROCWRAP_REPLICA: mine}, dir: /srv,
         logFile: {path: /log/db.log}, labels: {team: core}, readiness: {file: {path: /x}}}
      - {name: api, entrypoint: x, dependsOn: [{name: db, condition: started}, one],
         logFile: {path: /log/api}}
      - {name: one, entrypoint: x, dependsOn: [db_1]}
    """


def test_replicas() -> None:
    """Each replica has every setting of the original, its own name, number and log file."""
    first, second, *_ = plan_of(CONFIG).processes
    assert (first.name, second.name, first.replica, second.replica) == ("db_0", "db_1", 0, 1)
    assert second.envs == (("A", "1"), ("PROCWRAP_REPLICA", "1"))
    assert first.directory == second.directory == "/srv"
    assert first.readiness == second.readiness is not None
    assert [each.log.file.path for each in (first, second) if each.log.file] == [
        "/log/db_0.log",
        "/log/db_1.log",
    ]


def test_a_dependency_on_a_replicated_process_means_all_of_it() -> None:
    """So does its condition; one replica may be named by itself."""
    processes = {process.name: process for process in plan_of(CONFIG).processes}
    assert processes["api"].depends_on == (
        Dependency("db_0", Condition.STARTED),
        Dependency("db_1", Condition.STARTED),
        Dependency("one"),
    )
    assert processes["one"].depends_on == (Dependency("db_1"),)


def test_labels_of_all() -> None:
    """logs.labels come first; a label of the process's own wins over them."""
    processes = {process.name: process for process in plan_of(CONFIG).processes}
    assert processes["db_0"].labels == (("cluster", "eu1"), ("team", "core"))
    assert processes["api"].labels == (("cluster", "eu1"), ("team", "all"))


@pytest.mark.parametrize(
    ("skip", "kept", "skipped"),
    [
        (["db"], ["api", "one"], ("db_0", "db_1")),
        (["db_0"], ["db_1", "api", "one"], ("db_0",)),
        (["api", "one"], ["db_0", "db_1"], ("api", "one")),
        ([], ["db_0", "db_1", "api", "one"], ()),
    ],
)
def test_skip(skip: list[str], kept: list[str], skipped: tuple[str, ...]) -> None:
    """A skipped process is gone with all its replicas, and nobody waits for it any more."""
    plan = plan_of(CONFIG, skip)
    names = {process.name for process in plan.processes}
    assert ([process.name for process in plan.processes], plan.skipped, plan.warnings) == (kept, skipped, ())
    assert all(need.name in names for process in plan.processes for need in process.depends_on)


def test_skipping_what_is_not_there() -> None:
    """A name that no process has is a warning: the config is universal, this one may not have it."""
    assert plan_of(CONFIG, ["nobody\n"]).warnings == (
        "cannot skip nobody\\n: no process of the config has this name",
    )


def test_skipping_everything() -> None:
    """Nothing to run is an error rather than a silent success."""
    with pytest.raises(UsageError) as caught:
        plan_of(CONFIG, ["db", "api", "one"])
    assert str(caught.value) == "every process of the config is skipped: nothing is left to run"
    assert caught.value.exit_status == ExitStatus.USAGE
