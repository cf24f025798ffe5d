from __future__ import annotations

import pytest

from tests.support.configs import plan_of, problems_of

NATIVE, KUBERNETES, PIDZERO = "native", "Kubernetes", "pidzero"


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("[{name: a, entrypoint: b}]", NATIVE),
        ("{processes: [{name: a, entrypoint: b}]}", NATIVE),
        ("{kind: Pod, spec: {containers: [{name: a, command: [b]}]}}", KUBERNETES),
        ("containers: [{name: a, command: [b]}]", KUBERNETES),
        ("[{name: a, image: c, command: [b]}]", KUBERNETES),
        ("[{name: a, command: [b]}]", KUBERNETES),
        ("kind: ConfigMap\n---\n{kind: Pod, spec: {containers: [{name: a, command: [b]}]}}", KUBERNETES),
        ("daemons: [{name: a, command: b}]", PIDZERO),
    ],
)
def test_dialects_are_recognised_by_their_shape(text: str, dialect: str) -> None:
    """Nobody has to say what a config is; ``check`` prints what was recognised."""
    plan = plan_of(text)
    assert (plan.dialect, plan.processes[0].name, plan.processes[0].entrypoint) == (dialect, "a", "b")


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


def test_only_manifests_may_be_several() -> None:
    """Any other config is one document; a document that is empty does no harm."""
    one = "[{name: a, entrypoint: b}]\n"
    wrong = "app.yaml:3:1: a second document begins here; a config is one document"
    assert problems_of(f"{one}---\n{one}") == [wrong]
    assert problems_of(f"---\n{one}---\n") == []
