"""The other containers of the Pod: procwrap as it is against an API server behind real TLS."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.hosted import Hosted, process
from tests.support.plans import SERVE
from tests.support.pods import RUNNING, terminated
from tests.support.servers.kubernetes import KubernetesServer

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("nothing_left")]

WAIT = "--wait-sidecars"
KUBEXIT = {"KUBEXIT_POD_NAME": "job-1", "KUBEXIT_NAMESPACE": "shop", "KUBEXIT_NAME": "main"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubernetesServer]:
    with KubernetesServer(tmp_path_factory.mktemp("kubernetes")) as server:
        yield server


@pytest.fixture
def kubernetes(running: KubernetesServer) -> KubernetesServer:
    running.begin()
    return running


def shell(
    home: Path,
    server: KubernetesServer,
    script: str,
    options: Sequence[str] = (WAIT,),
    **environment: str,
) -> Hosted:
    """Wrap a shell script."""
    environ = {**server.environment, **environment}
    return Hosted(home, None, [*options, "--", "/bin/sh", "-c", script], environ)


def told(hosted: Hosted, text: str) -> bool:
    return text in hosted.err.read_text()


def out(hosted: Hosted) -> str:
    return hosted.out.read_text()


# proa's: --wait-sidecars.


def test_a_job_with_a_sidecar(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """It starts when the sidecar is ready, and ends when that has ended, with the command's own exit code."""
    with shell(tmp_path, kubernetes, "echo up; exit 7") as hosted:
        hosted.until(lambda: told(hosted, "waits for the other containers: proxy (ContainerCreating)"))
        kubernetes.do("put", "proxy", RUNNING)
        hosted.until(lambda: told(hosted, "waits for the other containers: proxy (not ready)"))
        assert out(hosted) == ""
        kubernetes.do("ready", "proxy")
        hosted.until(lambda: told(hosted, "waits for the other containers to end: proxy (ready)"))
        assert out(hosted) == "up\n"
        kubernetes.do("put", "proxy", terminated(143))
        assert hosted.wait() == 7
    assert "token-1" not in hosted.told()


def test_the_whole_of_proa(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """The sidecar is waited for, told to end and waited for again; a request that fails keeps nobody."""
    options = [WAIT, f"--shutdown-http-post={kubernetes.quit_url}", "-g", "http://127.0.0.1:9/nobody"]
    kubernetes.do("ready", "proxy")
    with shell(tmp_path, kubernetes, "echo up; exit 8", options) as hosted:
        assert hosted.wait(20) == 8
    assert out(hosted) == "up\n"
    assert not told(hosted, "waits no longer")


def test_processes_of_a_config(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """All of them wait, and nothing is ready before they run."""
    plan = [process("app", SERVE), process("job", "echo up; exec sleep 0.1", main=True)]
    with Hosted(tmp_path, plan, [WAIT], kubernetes.environment, http=True) as hosted:
        hosted.until(lambda: len(hosted.said("waits for the other containers: proxy")) == 2)
        assert hosted.get("/readiness")[0] == 503
        assert not hosted.said("started")
        kubernetes.do("ready", "proxy")
        hosted.until(lambda: hosted.said("waits for the other containers to end"))
        kubernetes.do("put", "proxy", terminated())
        assert hosted.wait() == 0


def test_native_sidecars(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """They are waited for at the start; at the end the kubelet waits for us before it ends them."""
    kubernetes.begin("main", sidecars=["log"], init=["prepare"])
    with shell(tmp_path, kubernetes, "echo up; exit 3") as hosted:
        hosted.until(lambda: told(hosted, "waits for the other containers: log (ContainerCreating)"))
        kubernetes.do("ready", "log")
        assert hosted.wait(10) == 3


def test_the_main_container_need_not_be_the_first(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """CONTAINER_NAME says which one it is."""
    kubernetes.begin("proxy", "main")
    kubernetes.do("put", "proxy", terminated())
    kubernetes.do("put", "proxy", RUNNING, True)
    with shell(tmp_path, kubernetes, "exit 4", CONTAINER_NAME="main") as hosted:
        hosted.until(lambda: told(hosted, "waits for the other containers to end: proxy"))
        kubernetes.do("put", "proxy", terminated())
        assert hosted.wait() == 4


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
def test_a_sidecar_that_has_ended(kubernetes: KubernetesServer, tmp_path: Path, policy: str) -> None:
    """It would never be ready: exit code 1, the name of it, and nothing was started."""
    kubernetes.begin(policy=policy)
    kubernetes.do("put", "proxy", terminated())
    with shell(tmp_path, kubernetes, "echo up") as hosted:
        assert hosted.wait(10) == 1
    assert told(hosted, "proxy (terminated with exit code 0): it is never started again")
    assert out(hosted) == ""


def test_not_for_ever(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """A sidecar that does not end gets the Pod's grace, and no more."""
    kubernetes.begin(grace=1)
    kubernetes.do("ready", "proxy")
    with shell(tmp_path, kubernetes, "exit 5") as hosted:
        assert hosted.wait(10) == 5
    assert told(hosted, "waits no longer, after 1s, for the end of proxy (ready)")


def test_a_signal_while_it_waits_to_start(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """The end comes at once, as if the command had got the signal; it never starts."""
    with shell(tmp_path, kubernetes, "echo up") as hosted:
        hosted.until(lambda: told(hosted, "waits for the other containers: proxy"))
        began = time.monotonic()
        assert hosted.end(signal.SIGTERM) == 143
        assert time.monotonic() < began + 10
    kubernetes.do("ready", "proxy")
    assert out(hosted) == ""


def test_a_signal_while_it_runs(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """The command gets it, and nobody waits for the others, which the kubelet ends as well."""
    kubernetes.do("ready", "proxy")
    with shell(tmp_path, kubernetes, "trap 'exit 9' TERM; echo up; sleep 60 & wait") as hosted:
        hosted.until(lambda: out(hosted) == "up\n")
        assert hosted.end(signal.SIGTERM, 10) == 9


def test_a_signal_while_it_waits_to_end(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """It waits no longer; the exit code is that of the command all the same."""
    kubernetes.do("ready", "proxy")
    with shell(tmp_path, kubernetes, "exit 6") as hosted:
        hosted.until(lambda: told(hosted, "waits for the other containers to end"))
        assert hosted.end(signal.SIGTERM, 10) == 6


def test_the_name_of_the_pod(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """The host name does where it is the Pod's; a name that is none is told, and how to say the right one."""
    kubernetes.do("ready", "proxy")
    kubernetes.do("put", "proxy", RUNNING, True)
    with shell(tmp_path, kubernetes, "exit 0", POD_NAME="", HOSTNAME="job-1") as hosted:
        hosted.until(lambda: told(hosted, "waits for the other containers to end"))
    with shell(tmp_path, kubernetes, "exit 0", POD_NAME="", HOSTNAME="node-7") as hosted:
        hosted.until(lambda: told(hosted, "there is no Pod node-7 in the namespace shop: set POD_NAME"))


# The API server.


def test_a_missing_right(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """One error says which, and the Role to add; a Role that comes late is in time."""
    kubernetes.do("set", "forbidden", ["watch", "list"])
    kubernetes.do("ready", "proxy")
    with shell(tmp_path, kubernetes, "echo up") as hosted:
        hosted.until(lambda: kubernetes.do("count") > 2)
        kubernetes.do("set", "forbidden", [])
        hosted.until(lambda: out(hosted) == "up\n")
    errors = [line for line in hosted.err.read_text().splitlines() if "level=error" in line]
    assert len(errors) == 1
    assert "system:serviceaccount:shop:job may not list pods in the namespace shop" in errors[0]
    assert "resources: [pods], verbs: [get, list, watch]" in errors[0]


def test_a_token_that_is_replaced(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """The watch goes on with the next one."""
    with shell(tmp_path, kubernetes, "echo up") as hosted:
        hosted.until(lambda: kubernetes.do("watching"))
        kubernetes.do("set", "tokens", ["token-2"])
        kubernetes.do("cut")
        kubernetes.write_token("token-2")
        hosted.until(lambda: kubernetes.do("watching"))
        kubernetes.do("ready", "proxy")
        hosted.until(lambda: out(hosted) == "up\n")
    assert {asked["token"] for asked in kubernetes.do("requests")} == {"token-1", "token-2"}


@pytest.mark.parametrize(
    ("orders", "manner"),
    [([["cut"], ["expire"]], "stream"), ([["end"], ["say", "<html>\n"]], "status")],
)
def test_what_goes_wrong_with_a_watch(
    kubernetes: KubernetesServer, tmp_path: Path, orders: list[list[str]], manner: str
) -> None:
    """Cut, too old, over, nonsense, a server that has no time: it goes on as soon as it can."""
    kubernetes.do("set", "piece", 100)
    with shell(tmp_path, kubernetes, "echo up") as hosted:
        for order, *words in orders:
            hosted.until(lambda: kubernetes.do("watching"))
            kubernetes.do(order, *words)
        kubernetes.do("set", "status", 503)
        kubernetes.do("cut")
        kubernetes.do("touch")
        kubernetes.do("compact")
        kubernetes.do("set", "gone_as", manner)
        kubernetes.do("ready", "proxy")
        kubernetes.do("set", "status", 0)
        hosted.until(lambda: out(hosted) == "up\n")


def test_an_impostor(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """A server that the cluster's authority does not vouch for gets no token, and so no question."""
    account = tmp_path / "account"
    account.mkdir()
    for name in ("token", "namespace"):
        (account / name).write_bytes((kubernetes.account / name).read_bytes())
    (account / "ca.crt").write_bytes(Authority(tmp_path, "another").file.read_bytes())
    environ = {"PROCWRAP_SERVICE_ACCOUNT_DIR": str(account)}
    with shell(tmp_path, kubernetes, "echo up", **environ) as hosted:
        hosted.until(lambda: told(hosted, "is not whom it should be: certificate verify failed"))
    assert kubernetes.do("requests") == []


def test_no_service_account(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """The message names the file and the likely reason."""
    with shell(tmp_path, kubernetes, "echo up", PROCWRAP_SERVICE_ACCOUNT_DIR="/nowhere") as hosted:
        hosted.until(lambda: told(hosted, "automountServiceAccountToken is false"))
        assert hosted.end() == 143


def test_ipv6(tmp_path: Path) -> None:
    """The address of the API server may be of either kind."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no IPv6 here")
    with KubernetesServer(tmp_path, "::1") as server:
        server.do("ready", "proxy")
        server.do("put", "proxy", RUNNING, True)
        with shell(tmp_path, server, "echo up", KUBERNETES_SERVICE_HOST="::1") as hosted:
            hosted.until(lambda: out(hosted) == "up\n")


# HANDLE_TERMINATION.


@pytest.mark.parametrize("before", [True, False])
def test_another_container_completes(kubernetes: KubernetesServer, tmp_path: Path, before: bool) -> None:
    """A graceful end with exit code 0, also when that was so from the beginning."""
    if before:
        kubernetes.do("put", "proxy", terminated())
    with Hosted(
        tmp_path, [process("app", SERVE)], (), {**kubernetes.environment, "HANDLE_TERMINATION": "1"}
    ) as hosted:
        if not before:
            hosted.until(lambda: hosted.lines("app") == ["up"])
            hosted.until(lambda: kubernetes.do("watching"))
            kubernetes.do("put", "proxy", terminated(1))
            kubernetes.do("put", "proxy", terminated(0))
        assert hosted.wait(15) == 0
        assert hosted.said("shutting down: the container proxy has completed")


def test_who_ends_nothing(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """A container that fails, a native sidecar and an init container end nothing: all goes on."""
    kubernetes.begin("main", "proxy", sidecars=["log"], init=["prepare"])
    script = "trap 'echo told; exit 5' TERM; echo up; sleep 60 & wait"
    with shell(tmp_path, kubernetes, script, (), HANDLE_TERMINATION="true") as hosted:
        hosted.until(lambda: kubernetes.do("watching"))
        kubernetes.do("put", "proxy", terminated(1))
        kubernetes.do("put", "log", terminated(0))
        hosted.until(lambda: out(hosted) == "up\n")
        time.sleep(0.3)
        assert hosted.process.poll() is None
        kubernetes.do("put", "proxy", terminated(0))
        assert hosted.wait() == 0
    assert out(hosted) == "up\ntold\n"


# kubexit's: birth dependencies.


def test_a_birth_dependency(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """The command starts when it is ready; names are trimmed; nothing is watched any more then."""
    kubernetes.begin("main", "db", "cache", "other")
    environ = {**KUBEXIT, "KUBEXIT_BIRTH_DEPS": "db, cache ", "POD_NAME": ""}
    with shell(tmp_path, kubernetes, "echo up; sleep 60", (), **environ) as hosted:
        hosted.until(lambda: told(hosted, "waits for the containers db (ContainerCreating), cache"))
        kubernetes.do("ready", "cache")
        kubernetes.do("ready", "db")
        hosted.until(lambda: out(hosted) == "up\n")
        hosted.until(lambda: not kubernetes.do("watching"))


def test_a_birth_that_takes_too_long(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """Exit code 1, and what was missing."""
    environ = {**KUBEXIT, "KUBEXIT_BIRTH_DEPS": "proxy", "KUBEXIT_BIRTH_TIMEOUT": "1s"}
    with shell(tmp_path, kubernetes, "echo up", (), **environ) as hosted:
        assert hosted.wait() == 1
    assert told(
        hosted, "did not get to start within 1s: it waits for the containers proxy (ContainerCreating)"
    )
    assert out(hosted) == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_before_the_birth(
    kubernetes: KubernetesServer, tmp_path: Path, number: int, code: int
) -> None:
    """The end comes at once; what waits for its birth is never born."""
    environ = {**KUBEXIT, "KUBEXIT_BIRTH_DEPS": "proxy"}
    with shell(tmp_path, kubernetes, "echo up", (), **environ) as hosted:
        hosted.until(lambda: told(hosted, "waits for the containers proxy (ContainerCreating)"))
        assert hosted.end(number, 15) == code
    assert out(hosted) == ""


@pytest.mark.parametrize("missing", ["KUBEXIT_POD_NAME", "KUBEXIT_NAMESPACE"])
def test_a_birth_without_its_variables(tmp_path: Path, missing: str) -> None:
    """Exit code 2 and one line."""
    environ = {**KUBEXIT, "KUBEXIT_BIRTH_DEPS": "proxy", "KUBERNETES_SERVICE_HOST": "127.0.0.1", missing: ""}
    with Hosted(tmp_path, None, ["--", "echo", "up"], environ) as hosted:
        assert hosted.wait() == 2
    assert hosted.told() == f"KUBEXIT_BIRTH_DEPS needs {missing}, which is not set\n"


def test_birth_dependencies_of_a_config(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """Only who has some waits; the others run meanwhile."""
    born: dict[str, Any] = {"birthDeps": ["proxy"], "birthTimeout": "20s"}
    plan = [process("app", SERVE), process("born", SERVE, **born)]
    with Hosted(tmp_path, plan, (), kubernetes.environment) as hosted:
        hosted.until(lambda: hosted.said(r"waits for the containers proxy \(ContainerCreating\)"))
        hosted.until(lambda: hosted.lines("app") == ["up"])
        assert hosted.lines("born") == []
        kubernetes.do("ready", "proxy")
        hosted.until(lambda: hosted.lines("born") == ["up"])
        assert hosted.end() == 0


def test_not_in_a_pod(tmp_path: Path) -> None:
    """What cannot be done here is refused with exit code 2 and one line."""
    environ = {"KUBERNETES_SERVICE_HOST": ""}
    with Hosted(tmp_path, None, [WAIT, "--", "echo", "up"], environ) as hosted:
        assert hosted.wait() == 2
    assert hosted.told() == "--wait-sidecars works in a Pod only: KUBERNETES_SERVICE_HOST is not set\n"
