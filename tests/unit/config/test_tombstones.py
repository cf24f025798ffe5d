from __future__ import annotations

import pytest

from procwrap.config import environment
from procwrap.config.settings import resolve, wrapped_plan
from procwrap.errors import UsageError
from procwrap.spec.graves import Graves
from procwrap.spec.plan import Given, Plan
from tests.support.configs import plan_of, problems_of

CONFIG = """\
    processes:
      - {name: app, entrypoint: x, tombstone: {}, deathDeps: [proxy, " db "]}
      - {name: web, entrypoint: x, replicas: 2, tombstone: {graveyard: /shared, name: site}}
      - {name: sad, entrypoint: x, deathDeps: [app]}
      - {name: plain, entrypoint: x}
    """


def test_in_a_config() -> None:
    """A tombstone has the name of its process unless it says another; each replica has its own."""
    asked = {process.name: process.graves for process in plan_of(CONFIG).processes}
    assert asked == {
        "app": Graves("/graveyard", "app", ("proxy", "db")),
        "web_0": Graves("/shared", "site_0"),
        "web_1": Graves("/shared", "site_1"),
        "sad": Graves(death_deps=("app",)),
        "plain": None,
    }


@pytest.mark.parametrize("name", ["../passwd", "a/b", ".hidden", "", "x\\ny"])
def test_a_name_is_that_of_a_file_there(name: str) -> None:
    """Nothing outside the graveyard is written or read."""
    text = f'processes: [{{name: a, entrypoint: x, tombstone: {{name: "{name}"}}}}]'
    assert "processes[0].tombstone.name" in str(problems_of(text)[0])
    if "\\" not in name and name:
        with pytest.raises(UsageError, match="KUBEXIT_DEATH_DEPS: expected the name of a file"):
            environment.parse({"KUBEXIT_DEATH_DEPS": f"ok, {name}"})


def test_the_variables_of_kubexit() -> None:
    """Names are trimmed; the grace is 30 s unless it says another."""
    given = environment.parse({"KUBEXIT_NAME": " app1 ", "KUBEXIT_DEATH_DEPS": " a ,b,, "})
    assert given.graves == Graves("/graveyard", "app1", ("a", "b"))
    plan = wrapped_plan(["sleep", "1"], given.graves)
    assert plan.processes[0].graves == given.graves
    assert resolve(Given(command=("sleep", "1")), given, plan).graceful_deadline == 30.0


def test_the_grace_of_kubexit() -> None:
    """It counts for a wrapped command only; the option goes before it."""
    given = environment.parse({"KUBEXIT_NAME": "a", "KUBEXIT_GRACE_PERIOD": "5s", "KUBEXIT_GRAVEYARD": "/g"})
    assert given.graves == Graves("/g", "a")
    assert resolve(Given(command=("x",)), given, wrapped_plan(["x"])).graceful_deadline == 5.0
    argv = Given(command=("x",), graceful_shutdown_deadline=2.0)
    assert resolve(argv, given, wrapped_plan(["x"])).graceful_deadline == 2.0
    assert resolve(Given(), given, Plan(())).graceful_deadline == 10.0


def test_no_variable_no_tombstone() -> None:
    """An empty one says nothing, and a graveyard alone buries nobody."""
    assert environment.parse({"KUBEXIT_NAME": " ", "KUBEXIT_GRAVEYARD": "/g"}).graves is None


def test_a_grace_that_is_none() -> None:
    """The variable is named, and what is right instead."""
    with pytest.raises(UsageError, match=r"KUBEXIT_GRACE_PERIOD: .*30"):
        environment.parse({"KUBEXIT_NAME": "a", "KUBEXIT_GRACE_PERIOD": "30"})
