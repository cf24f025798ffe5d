"""deploy/examples/shared-lock: its parts fit together, and procwrap understands what it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from procwrap.config import arguments, environment, lockserving
from procwrap.spec.lockserving import EtcdTls, LockServing

EXAMPLES = Path(__file__).parents[3] / "deploy/examples/shared-lock"
NAMES = ("lock-server.yaml", "embedded.yaml")


def objects(name: str) -> dict[str, Any]:
    """Each object of a manifest by its kind."""
    return {found["kind"]: found for found in yaml.safe_load_all((EXAMPLES / name).read_text("utf-8"))}


def container(name: str) -> dict[str, Any]:
    """The container of the Deployment."""
    (found,) = objects(name)["Deployment"]["spec"]["template"]["spec"]["containers"]
    return dict(found)


def asked(name: str) -> LockServing:
    """What procwrap is asked for by a manifest."""
    found = container(name)
    environ = {each["name"]: each["value"] for each in found.get("env", ())}
    given = arguments.parse(found["args"]).given
    assert given.shared_lock
    return lockserving.resolve(given, environment.parse(environ), environ)


def test_etcd() -> None:
    """Three members over TLS, with the certificates where the Secret is mounted."""
    etcd = asked("lock-server.yaml").etcd
    assert etcd is not None
    assert (len(etcd.endpoints), etcd.tls) == (3, EtcdTls())
    (mount,) = container("lock-server.yaml")["volumeMounts"]
    assert EtcdTls().ca_cert == f"{mount['mountPath']}/ca.crt"


def test_embedded() -> None:
    """One Pod at a time, with its file on the volume."""
    found = asked("embedded.yaml")
    (mount,) = container("embedded.yaml")["volumeMounts"]
    assert found.store.startswith(mount["mountPath"] + "/")
    spec = objects("embedded.yaml")["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_fit(name: str) -> None:
    """Service, probes and selectors mean the same Pods and the same port, which is the default one."""
    found = objects(name)
    pod = found["Deployment"]["spec"]["template"]
    (port,) = container(name)["ports"]
    assert asked(name).socket == f":{port['containerPort']}"
    (served,) = found["Service"]["spec"]["ports"]
    assert (served["port"], served["targetPort"]) == (8191, port["name"])
    labels = pod["metadata"]["labels"]
    assert found["Service"]["spec"]["selector"] == labels
    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert container(name)["readinessProbe"]["httpGet"] == {"path": "/health", "port": port["name"]}


@pytest.mark.parametrize("name", NAMES)
def test_it_has_no_rights(name: str) -> None:
    """The lock server asks Kubernetes for nothing, so it gets no token, and it is not root."""
    assert objects(name)["Deployment"]["spec"]["template"]["spec"]["automountServiceAccountToken"] is False
    assert container(name)["securityContext"]["runAsNonRoot"] is True
