"""Kubernetes manifests from a few lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from attrs import evolve

from procwrap.config.load import load, translate
from procwrap.config.problem import ConfigError, WrongValueError
from procwrap.config.surroundings import Surroundings
from procwrap.config.writing import write
from procwrap.spec.plan import Plan
from procwrap.spec.process import ProcessSpec
from tests.support.configs import config_text

ENVIRON = {
    "HOSTNAME": "web-1",
    "POD_NAMESPACE": "shop",
    "POD_IP": "10.1.2.3",
    "NODE_NAME": "node-7",
    "DB_SERVICE_HOST": "10.0.0.5",
    "HOME": "/root",
}


class Files:
    """Secrets and config maps as a directory would have them."""

    directory = "/secrets"

    def __init__(self, found: Mapping[str, Mapping[str, str]]) -> None:
        self.found = found

    def one(self, name: str, key: str) -> str | None:
        if "/" in name:
            raise WrongValueError("no such name")
        return self.found.get(name, {}).get(key)

    def all(self, name: str) -> Mapping[str, str] | None:
        return self.found.get(name)


def around(files: Mapping[str, Mapping[str, str]] | None = None, *, root: bool = False) -> Surroundings:
    """Where a manifest is loaded."""
    return Surroundings(ENVIRON, None if files is None else Files(files), root)


def manifest(text: str | bytes, surroundings: Surroundings | None = None, skip: Sequence[str] = ()) -> Plan:
    """The plan of a manifest."""
    return load(config_text(text), skip, surroundings or around())


def problems(text: str | bytes, surroundings: Surroundings | None = None) -> list[str]:
    """What is wrong with a manifest, one line each, without the file."""
    try:
        manifest(text, surroundings)
    except ConfigError as error:
        return [line.removeprefix("app.yaml:") for line in str(error).split("\n")]
    return []


def container(keys: str, surroundings: Surroundings | None = None) -> ProcessSpec:
    """The process of a container that has these keys, in flow style, besides a name and a command."""
    return manifest(f"containers: [{{name: app, command: [run], {keys}}}]", surroundings).processes[0]


def complaints(keys: str, surroundings: Surroundings | None = None) -> list[str]:
    """What is wrong with these keys, without the place and the path of the container."""
    lines = problems(f"containers: [{{name: app, command: [run], {keys}}}]", surroundings)
    return [line.split(": ", 1)[1].removeprefix("containers[0].") for line in lines]


def pod(text: str, kind: str = "Pod") -> Plan:
    """The plan of an object with this spec of a Pod, as indented YAML."""
    spec = textwrap.indent(textwrap.dedent(text), "  ")
    return manifest(f"kind: {kind}\nspec:\n{spec}")


def converted(text: bytes, surroundings: Surroundings) -> Plan:
    """The plan of what a config converts to."""
    native, found = translate(config_text(text), surroundings)
    assert found == []
    return load(config_text(write(native.node).encode()))


def comparable(plan: Plan) -> Plan:
    """A plan without what is said about where it came from."""
    return evolve(plan, dialect="", warnings=(), ignored=())
