"""What was asked about the Pod that we run in, and what its containers are told about the cluster."""

from __future__ import annotations

from attrs import frozen

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where every container finds who it is to the API server."""


@frozen
class Birth:
    """Containers of our Pod that have to be ready before a process starts.

    Attributes:
        timeout: seconds after which everything ends instead.
    """

    containers: tuple[str, ...]
    timeout: float = 30.0


@frozen
class InCluster:
    """What the environment of a container says about its Pod; empty where it says nothing.

    Attributes:
        host: of the API server, as the kubelet says; ``port`` likewise.
        service_account: the directory of the service account's files.
        container: the name of our own container.
        kubexit_name: the same, as kubexit is told, for whom it is the name of a tombstone first of all.
        kubexit_pod: the name of our Pod, as kubexit is told; ``kubexit_namespace`` likewise.
    """

    host: str = ""
    port: str = ""
    service_account: str = SERVICE_ACCOUNT
    container: str = ""
    kubexit_name: str = ""
    kubexit_pod: str = ""
    kubexit_namespace: str = ""


@frozen
class OwnPod:
    """Our Pod, when something has to be known about it.

    Attributes:
        namespace: its namespace; empty is that of the service account.
        host: of the API server, an address or a name; ``port`` likewise.
        service_account: the directory of the service account's files.
        container: the name of our own container; empty when it has to be found out.
        perhaps: a name that our own container may have.
        wait_sidecars: start only when all other containers are ready, and wait for their end at the end.
        handle_termination: end when another container has completed.
    """

    name: str
    namespace: str
    host: str
    port: int
    service_account: str = SERVICE_ACCOUNT
    container: str = ""
    perhaps: str = ""
    wait_sidecars: bool = False
    handle_termination: bool = False
