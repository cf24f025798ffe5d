"""Which Pod is ours and where the API server is, when something has to be known about the Pod."""

from __future__ import annotations

import re
from collections.abc import Mapping

from procwrap.config import units
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted
from procwrap.errors import UsageError
from procwrap.spec.plan import Given, Plan
from procwrap.spec.pod import SERVICE_ACCOUNT, InCluster, OwnPod

HOST, PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"
KUBEXIT_POD, KUBEXIT_NAMESPACE = "KUBEXIT_POD_NAME", "KUBEXIT_NAMESPACE"
DIRECTORY = "PROCWRAP_SERVICE_ACCOUNT_DIR"
DEFAULT_PORT = "443"

_POD = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?\Z")
"""A subdomain of RFC 1123, which Kubernetes wants of the name of a Pod; a namespace is one without dots."""
_HOST = re.compile(r"[0-9A-Za-z]([-.0-9A-Za-z]{0,252})\Z|\[?[0-9A-Fa-f:.]{2,45}\]?\Z")


def from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    """Read what every container is told, for the attributes of ``Given``."""

    def said(variable: str, default: str = "") -> str:
        return environ.get(variable, "").strip() or default

    return {
        "cluster": InCluster(
            host=said(HOST),
            port=said(PORT),
            service_account=said(DIRECTORY, SERVICE_ACCOUNT),
            container=said("CONTAINER_NAME"),
            kubexit_name=said("KUBEXIT_NAME"),
            kubexit_pod=said(KUBEXIT_POD),
            kubexit_namespace=said(KUBEXIT_NAMESPACE),
        )
    }


def own_pod(argv: Given, env: Given, plan: Plan) -> OwnPod | None:
    """Return our Pod, or None when nothing has to be known about it.

    Raises:
        UsageError: something has to be, and cannot be, since nobody says where we are.
    """
    wait_sidecars = argv.wait_sidecars if argv.wait_sidecars is not None else bool(env.wait_sidecars)
    reason = _reason(env, plan, wait_sidecars=wait_sidecars)
    if not reason:
        return None
    cluster = env.cluster
    if argv.command and env.birth is not None:
        for variable, value in (
            (KUBEXIT_POD, cluster.kubexit_pod),
            (KUBEXIT_NAMESPACE, cluster.kubexit_namespace),
        ):
            if not value:
                raise UsageError(f"KUBEXIT_BIRTH_DEPS needs {variable}, which is not set")
    if not cluster.host:
        raise UsageError(f"{reason} works in a Pod only: {HOST} is not set")
    return OwnPod(
        name=_pod(reason, cluster.kubexit_pod or env.pod or ""),
        namespace=_namespace(cluster.kubexit_namespace or env.namespace or ""),
        host=_host(cluster.host),
        port=_port(cluster.port or DEFAULT_PORT),
        service_account=cluster.service_account,
        container=cluster.container,
        perhaps=cluster.kubexit_name,
        wait_sidecars=wait_sidecars,
        handle_termination=bool(env.handle_termination),
    )


def _reason(env: Given, plan: Plan, *, wait_sidecars: bool) -> str:
    if wait_sidecars:
        return "--wait-sidecars"
    if any(spec.birth is not None for spec in plan.processes):
        return "KUBEXIT_BIRTH_DEPS" if any(spec.wrapped for spec in plan.processes) else "birthDeps"
    return "HANDLE_TERMINATION" if env.handle_termination else ""


def _pod(reason: str, name: str) -> str:
    if not name:
        raise UsageError(f"{reason} needs the name of this Pod: set POD_NAME by the downward API")
    if not _POD.match(name):
        raise UsageError(f"POD_NAME (or HOSTNAME): expected the name of a Pod, got {quoted(name)}")
    return name


def _namespace(name: str) -> str:
    # Empty is that of the service account.
    if name and ("." in name or len(name) > 63 or not _POD.match(name)):
        raise UsageError(f"POD_NAMESPACE: expected the name of a namespace, got {quoted(name)}")
    return name


def _host(host: str) -> str:
    if not _HOST.match(host):
        raise UsageError(f"{HOST}: expected an address or a name, got {quoted(host)}")
    return host.strip("[]")


def _port(text: str) -> int:
    try:
        return units.whole_number(text, 1, 65535)
    except WrongValueError as error:
        raise UsageError(f"{PORT}: {error}") from None
