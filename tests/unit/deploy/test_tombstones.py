"""deploy/examples/tombstones: the containers look for each other where they write."""

from __future__ import annotations

from pathlib import Path

import yaml

from procwrap.config import environment
from procwrap.spec.graves import Graves

MANIFEST = Path(__file__).parents[3] / "deploy/examples/tombstones/pod.yaml"


def test_the_variables_are_understood() -> None:
    """Each has its tombstone in the volume that both mount, and the proxy follows the job."""
    pod = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["spec"]["template"]["spec"]
    asked = {}
    for container in pod["containers"]:
        given = environment.parse({pair["name"]: pair["value"] for pair in container["env"]})
        assert given.graves is not None
        (mount,) = container["volumeMounts"]
        assert mount["mountPath"] == given.graves.graveyard
        assert container["command"][:2] == ["procwrap", "--"]
        asked[container["name"]] = given.graves
    assert asked == {
        "job": Graves("/graveyard", "job"),
        "proxy": Graves("/graveyard", "proxy", ("job",)),
    }
