"""The manifests in the documentation: each loads, and converts to a native config that means the same."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from procwrap import convert
from procwrap.spec.plan import Plan
from tests.support.configs import config_text
from tests.support.manifests import around, comparable, converted, manifest

EXAMPLES = Path(__file__).parents[4] / "docs" / "examples"
ALL = sorted(
    [*EXAMPLES.glob("*.yaml"), *EXAMPLES.glob("kubernetes/*.yaml"), *EXAMPLES.glob("pidzero/*.yaml")]
)
NUMBER = {
    "annotations": 2, "containers": 2, "cronjob": 1, "init-containers": 3, "job-with-sidecar": 2, "probes": 4,
    "secrets": 1, "security": 2, "statefulset": 2, "web": 3,
}  # fmt: skip


def plan(name: str) -> Plan:
    return manifest((EXAMPLES / "kubernetes" / f"{name}.yaml").read_bytes())


@pytest.mark.parametrize("name", NUMBER)
def test_manifests_load(name: str) -> None:
    """Each gives as many processes as it has containers."""
    assert (len(plan(name).processes), plan(name).dialect) == (NUMBER[name], "Kubernetes")


def test_they_are_all_listed() -> None:
    """No manifest is left out above."""
    assert {path.stem for path in EXAMPLES.glob("kubernetes/*.yaml")} == set(NUMBER)


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_conversion_keeps_the_meaning(path: Path) -> None:
    """What is converted asks for the same as what it was made of."""
    text = path.read_bytes()
    assert comparable(converted(text, around())) == comparable(manifest(text))


def test_secrets() -> None:
    """What the example says about its secrets is so."""
    [made] = plan("secrets").processes
    envs = {
        "SMTP_HOST": "mail.example",
        "SMTP_PORT": "25",
        "SENDER": "shop@mail.example",
        "PASSWORD": "sesame",
    }
    assert dict(made.envs) == envs
    assert made.args == ("--from", "shop@mail.example")


def run(text: bytes) -> tuple[int, str, list[str]]:
    out, err = io.StringIO(), io.StringIO()
    code = convert.run(["-"], {"HOSTNAME": "db-0"}, io.BytesIO(text), out, err)
    return code, out.getvalue(), err.getvalue().splitlines()


def test_convert_says_what_it_has_written_out() -> None:
    """A value that was taken from the environment is told of, so that nobody is surprised."""
    code, out, err = run((EXAMPLES / "kubernetes" / "statefulset.yaml").read_bytes())
    assert (code, out.startswith("processes:\n  - name: db\n")) == (0, True)
    assert any(line.endswith("fieldPath: taken from the variable HOSTNAME") for line in err)
    assert any(": spec.replicas: ignored: " in line for line in err)


def test_convert_prints_errors_only() -> None:
    """A config with mistakes is not converted."""
    code, out, err = run(b"kind: Pod\nspec: {containers: [{name: a}]}")
    assert (code, out, len(err)) == (2, "", 1)
    assert config_text("a").source == "app.yaml"
