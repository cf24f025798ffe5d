"""deploy/examples/job-with-sidecar: its parts fit together, and do what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from procwrap.config import arguments
from tests.support.hosted import free_port

MANIFEST = Path(__file__).parents[3] / "deploy/examples/job-with-sidecar/job.yaml"


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    """Each object by its kind."""
    return {found["kind"]: found for found in yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8"))}


def container(objects: dict[str, Any], name: str) -> Any:
    pod = objects["Job"]["spec"]["template"]["spec"]
    (found,) = [each for each in pod["containers"] if each["name"] == name]
    return found


def test_the_service_account_may_watch(objects: dict[str, Any]) -> None:
    """The Job runs as the account to which the Role is bound, and the Role grants what procwrap asks for."""
    account = objects["ServiceAccount"]["metadata"]["name"]
    assert objects["Job"]["spec"]["template"]["spec"]["serviceAccountName"] == account
    binding, role = objects["RoleBinding"], objects["Role"]
    assert [(who["kind"], who["name"]) for who in binding["subjects"]] == [("ServiceAccount", account)]
    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == ("Role", role["metadata"]["name"])
    (rule,) = role["rules"]
    assert (rule["apiGroups"], rule["resources"]) == ([""], ["pods"])
    assert {"list", "watch"} <= set(rule["verbs"])


def test_procwrap_understands_its_arguments(objects: dict[str, Any]) -> None:
    """They are what the page promises."""
    given = arguments.parse(container(objects, "main")["args"]).given
    assert given.wait_sidecars
    assert given.shutdown_http_post == ("http://localhost:8080/quit",)
    assert given.command[0] == "python3"


def test_procwrap_is_told_where_it_is(objects: dict[str, Any]) -> None:
    """The name of its container is right, and the Pod's comes from the downward API."""
    main = container(objects, "main")
    env = {each["name"]: each for each in main["env"]}
    assert env["CONTAINER_NAME"]["value"] == main["name"]
    for variable, path in (("POD_NAME", "metadata.name"), ("POD_NAMESPACE", "metadata.namespace")):
        assert env[variable]["valueFrom"]["fieldRef"]["fieldPath"] == path


def test_the_sidecar_does_its_part(objects: dict[str, Any]) -> None:
    """It has a readinessProbe; the main command gets its answer, and it ends with 0 when it is told to."""
    sidecar, port = container(objects, "sidecar"), free_port()
    assert sidecar["readinessProbe"]["httpGet"] == {"path": "/", "port": 8080}
    code = sidecar["args"][0].replace("time.sleep(10)", "").replace("8080", str(port))
    # It is up when it listens.
    code = code.replace(".serve_forever()", "; print('up'); server.serve_forever()").replace(
        "HTTPServer((", "server = HTTPServer(("
    )
    asks = container(objects, "main")["args"][-1].replace("8080", str(port))
    words = [sys.executable, "-u", "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as it:
        try:
            assert it.stdout is not None
            assert it.stdout.readline() == b"up\n"
            quits = f"urlopen('http://localhost:{port}/quit', b'')"
            words = [sys.executable, "-c", f"{asks}\n{quits}"]
            done = subprocess.run(words, capture_output=True, timeout=60, check=False)
            assert done.stdout == b"hello from the sidecar\n", done.stderr
            assert it.wait(30) == 0
        finally:
            it.kill()
