from __future__ import annotations

from typing import Any

import pytest

from procwrap.config import births
from procwrap.config.load import load
from procwrap.config.problem import ConfigError
from procwrap.config.reading import ConfigText
from procwrap.errors import UsageError
from procwrap.spec.pod import Birth

DEPS, TIMEOUT = "KUBEXIT_BIRTH_DEPS", "KUBEXIT_BIRTH_TIMEOUT"


def asked(text: str) -> Birth | None:
    return load(ConfigText("x.yaml", f"[{{name: a, entrypoint: b, {text}}}]".encode())).processes[0].birth


@pytest.mark.parametrize(
    ("text", "birth"),
    [
        ("birthDeps: [db]", Birth(("db",), 30.0)),
        ("birthDeps: [db, ' proxy ', db]", Birth(("db", "proxy"))),
        ("birthDeps: [db], birthTimeout: 1m", Birth(("db",), 60.0)),
        ("birthDeps: []", None),
        ("birthTimeout: 1m", None),
        ("dir: /", None),
    ],
)
def test_in_a_config(text: str, birth: Birth | None) -> None:
    """Names are trimmed and given once; the timeout is 30 s unless said."""
    assert asked(text) == birth


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("birthDeps: [Db]", 'expected the name of a container of this Pod, got "Db"'),
        ("birthDeps: db", "expected a list"),
        ("birthDeps: [db], birthTimeout: 30", "a bare number has no unit"),
        ("birthDeps: [db], birthTimeout: 0s", "at least 1ms"),
    ],
)
def test_mistakes_in_a_config(text: str, problem: str) -> None:
    """Each is told at its place."""
    with pytest.raises(ConfigError) as raised:
        asked(text)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, {}),
        ({DEPS: ""}, {}),
        ({DEPS: " , "}, {}),
        ({TIMEOUT: "nonsense"}, {}),
        ({DEPS: "a"}, {"birth": Birth(("a",))}),
        ({DEPS: " a, b,a ,"}, {"birth": Birth(("a", "b"))}),
        ({DEPS: "a", TIMEOUT: "5s"}, {"birth": Birth(("a",), 5.0)}),
        ({DEPS: "a", TIMEOUT: " "}, {"birth": Birth(("a",))}),
    ],
)
def test_in_the_environment(environ: dict[str, str], found: dict[str, Any]) -> None:
    """Names are trimmed, which kubexit forgets."""
    assert births.from_environment(environ) == found


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({DEPS: "a b"}, 'KUBEXIT_BIRTH_DEPS: expected the name of a container of this Pod, got "a b"'),
        ({DEPS: "a", TIMEOUT: "30"}, "KUBEXIT_BIRTH_TIMEOUT: expected a duration"),
        ({DEPS: "a", TIMEOUT: "0s"}, "KUBEXIT_BIRTH_TIMEOUT: expected at least 1ms"),
    ],
)
def test_mistakes_in_the_environment(environ: dict[str, str], problem: str) -> None:
    """The message names the variable."""
    with pytest.raises(UsageError) as raised:
        births.from_environment(environ)
    assert str(raised.value).startswith(problem)
