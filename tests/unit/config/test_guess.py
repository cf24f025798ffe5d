from __future__ import annotations

import pytest

from procwrap import __version__
from tests.support.configs import plan_of, problems_of

ONLY = (
    f"procwrap {__version__} reads its native format only: a list of processes, or a mapping with processes:"
)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{apiVersion: apps/v1, kind: Deployment}", "a Kubernetes manifest (kind: Deployment)"),
        ('{"kind": "CronJob"}', "a Kubernetes manifest (kind: CronJob)"),
        ("containers: [{name: a}]", "a Kubernetes pod spec (containers:)"),
        ("[{name: a, image: b}]", "a list of Kubernetes containers (image:)"),
        ("[{name: a, command: [b]}]", "a list of Kubernetes containers (command:)"),
        ("daemons: []", "a config of pidzero (daemons:)"),
    ],
)
def test_foreign_dialects(text: str, what: str) -> None:
    """What is recognised but not read yet is refused with one line that says so."""
    assert problems_of(text) == [f"app.yaml:1:1: this looks like {what}; {ONLY}"]


def test_native_goes_first() -> None:
    """A config with processes: is native whatever else it has; its other keys are then unknown."""
    [line] = problems_of("{processes: [{name: a, entrypoint: b}], kind: Pod}")
    assert line.startswith("app.yaml:1:41: kind: unknown key: ")
    [line] = problems_of("[{name: a, entrypoint: b, command: c}]")
    assert line.startswith("app.yaml:1:27: processes[0].command: unknown key: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "expected a list of processes, or a mapping with processes:, got text"),
        ("5", "expected a list of processes, or a mapping with processes:, got a number"),
        (
            "{name: a, entrypoint: b}",
            "this is a single process: put it into a list, or under processes: as an item",
        ),
    ],
)
def test_no_config_at_all(text: str, message: str) -> None:
    """What is no config of anything gets a line that says what one looks like."""
    assert problems_of(text) == [f"app.yaml:1:1: {message}"]


def test_the_dialect_is_told() -> None:
    """``check`` prints what was recognised."""
    assert plan_of("[{name: a, entrypoint: b}]").dialect == "native"
