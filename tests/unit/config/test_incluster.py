from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from procwrap.config import incluster
from procwrap.config.environment import parse
from procwrap.config.settings import resolve, with_permits, wrapped_plan
from procwrap.errors import UsageError
from procwrap.spec.plan import Given, Plan
from procwrap.spec.pod import SERVICE_ACCOUNT, Birth, InCluster, OwnPod
from procwrap.spec.process import ProcessSpec

HERE = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "6443", "POD_NAME": "job-1"}
KUBEXIT = {"KUBEXIT_BIRTH_DEPS": "db", "KUBEXIT_POD_NAME": "job-2", "KUBEXIT_NAMESPACE": "shop"}
WAITS = Given(wait_sidecars=True)
WRAPS = Given(command=("sleep", "1"))
APP = ProcessSpec("app", "app")


def own(environ: dict[str, str], argv: Given = WAITS, *processes: ProcessSpec) -> OwnPod | None:
    env = parse(environ)
    plan = wrapped_plan(argv.command, birth=env.birth) if argv.command else Plan(processes or (APP,))
    return incluster.own_pod(argv, env, plan)


def refusal(environ: dict[str, str], argv: Given = WAITS, *processes: ProcessSpec) -> str:
    with pytest.raises(UsageError) as raised:
        own(environ, argv, *processes)
    return str(raised.value)


def test_nothing_has_to_be_known() -> None:
    """Then a Pod is like any other place, and nobody minds what is wrong with its variables."""
    assert own({**HERE, "KUBERNETES_SERVICE_PORT": "tcp://x"}, Given()) is None
    assert own({}, Given()) is None


def test_what_every_container_is_told() -> None:
    """All of it."""
    environ = {
        **HERE,
        "POD_NAMESPACE": "shop",
        "CONTAINER_NAME": "main",
        "KUBEXIT_NAME": "stone",
        "PROCWRAP_SERVICE_ACCOUNT_DIR": "/sa",
        "HANDLE_TERMINATION": "enabled",
    }
    assert own(environ) == OwnPod(
        "job-1", "shop", "10.0.0.1", 6443, "/sa", "main", "stone", wait_sidecars=True, handle_termination=True
    )


def test_defaults() -> None:
    """The port of https, the place of every service account, and the namespace that stands there."""
    del (environ := dict(HERE))["KUBERNETES_SERVICE_PORT"]
    assert own(environ) == OwnPod("job-1", "", "10.0.0.1", 443, SERVICE_ACCOUNT, wait_sidecars=True)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"POD_NAME": "", "HOSTNAME": "host-1"}, "host-1"),
        ({"POD_NAME": "job-1", "HOSTNAME": "node.example"}, "job-1"),
        ({"HOSTNAME": "x", "KUBEXIT_POD_NAME": "job-3"}, "job-3"),
    ],
)
def test_the_name_of_the_pod(said: dict[str, str], name: str) -> None:
    """The host name is the Pod's only where nobody says another; kubexit's variable is for nothing else."""
    pod = own({**HERE, **said})
    assert pod is not None
    assert pod.name == name


@pytest.mark.parametrize("host", ["10.0.0.1", "fd00::1", "[fd00::1]", "kubernetes.default.svc"])
def test_hosts(host: str) -> None:
    """Addresses of both kinds, and names."""
    pod = own({**HERE, "KUBERNETES_SERVICE_HOST": host})
    assert pod is not None
    assert pod.host == host.strip("[]")


@pytest.mark.parametrize(
    ("environ", "argv", "processes", "reason"),
    [
        ({}, WAITS, (), "--wait-sidecars"),
        ({"HANDLE_TERMINATION": "1"}, Given(), (), "HANDLE_TERMINATION"),
        ({}, Given(), (evolve(APP, birth=Birth(("db",))),), "birthDeps"),
        (KUBEXIT, WRAPS, (), "KUBEXIT_BIRTH_DEPS"),
    ],
)
def test_not_in_a_pod(environ: dict[str, str], argv: Given, processes: Any, reason: str) -> None:
    """What cannot be done here is refused, by the name of what asked for it."""
    expected = f"{reason} works in a Pod only: KUBERNETES_SERVICE_HOST is not set"
    assert refusal(environ, argv, *processes) == expected


@pytest.mark.parametrize("variable", ["KUBEXIT_POD_NAME", "KUBEXIT_NAMESPACE"])
def test_kubexit_wants_both(variable: str) -> None:
    """A birth dependency without one of its variables is refused, as kubexit does."""
    expected = f"KUBEXIT_BIRTH_DEPS needs {variable}, which is not set"
    assert refusal({**HERE, **KUBEXIT, variable: " "}, WRAPS) == expected


def test_kubexit_s_variables_are_those_of_a_wrapped_command() -> None:
    """Where a config runs, they mean nothing."""
    assert own({**HERE, **KUBEXIT}, Given()) is None
    assert own({**HERE, **KUBEXIT}, WRAPS) == OwnPod("job-2", "shop", "10.0.0.1", 6443)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"POD_NAME": "", "HOSTNAME": ""}, "--wait-sidecars needs the name of this Pod: set POD_NAME"),
        ({"POD_NAME": "a/../b"}, "POD_NAME (or HOSTNAME): expected the name of a Pod"),
        ({"POD_NAMESPACE": "a.b"}, "POD_NAMESPACE: expected the name of a namespace"),
        ({"KUBERNETES_SERVICE_HOST": "a/b"}, "KUBERNETES_SERVICE_HOST: expected an address or a name"),
        (
            {"KUBERNETES_SERVICE_PORT": "0"},
            "KUBERNETES_SERVICE_PORT: expected a whole number from 1 to 65535",
        ),
        ({"HANDLE_TERMINATION": "perhaps"}, "HANDLE_TERMINATION: expected on or off"),
    ],
)
def test_wrong_values(said: dict[str, str], problem: str) -> None:
    """Each names its variable; nothing gets into a URL that does not belong there."""
    assert refusal({**HERE, **said}).startswith(problem)


def test_the_command_line_goes_first() -> None:
    """``-wait-sidecars=false`` against PROCWRAP_WAIT_SIDECARS."""
    environ = {**HERE, "PROCWRAP_WAIT_SIDECARS": "on"}
    assert own(environ, Given()) == own(HERE, WAITS)
    assert own(environ, Given(wait_sidecars=False)) is None


def test_the_environment_says_nothing() -> None:
    """Then nothing is known."""
    assert parse({}).cluster == InCluster()


def held(argv: Given, *processes: ProcessSpec) -> list[bool]:
    plan = Plan(processes)
    plan = with_permits(plan, resolve(argv, parse(HERE), plan))
    return [spec.needs_permit for spec in plan.processes]


def test_who_is_held_back() -> None:
    """Those with a birth dependency; all of them where sidecars are waited for."""
    born = evolve(APP, name="born", birth=Birth(("db",)))
    assert held(Given(), APP, born) == [False, True]
    assert held(WAITS, APP, born) == [True, True]
