from __future__ import annotations

import pytest

from tests.support.configs import messages_of, process_of


def test_literal_values_stay_as_written() -> None:
    """Numbers, booleans and dates need no quotes where only text makes sense: they stay what was written."""
    process = process_of(
        "args: [-p, 8080, no, 1.10, 2026-11-21, 0x1F], envs: {A: 8080, B: yes, C: 1e3, D: ''}"
    )
    assert process.args == ("-p", "8080", "no", "1.10", "2026-11-21", "0x1F")
    assert process.envs == (("A", "8080"), ("B", "yes"), ("C", "1e3"), ("D", ""))


def test_empty_collections() -> None:
    """A list or mapping whose items are all commented out has none."""
    process = process_of("args: , envs: , labels: , dependsOn: ")
    assert (process.args, process.envs, process.labels, process.depends_on) == ((), (), (), ())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("dir: 8080", 'dir: expected text, got a number: quote it ("8080")'),
        ("dir: no", 'dir: expected text, got a boolean: quote it ("no")'),
        ("dir: [a]", "dir: expected text, got a list"),
        ("dir: ''", "dir: expected text, got an empty one"),
        ('dir: "a\\0b"', "dir: it holds a NUL or half a surrogate pair, which no program can be given"),
        ("args: [[a]]", "args[0]: expected text, got a list"),
        ('args: ["\\0"]', "args[0]: it holds a NUL or half a surrogate pair, which no program can be given"),
        ("args: hunter2", "args: expected a list, got text"),
        ("args: {a: b}", "args: expected a list, got a mapping"),
        ("envs: {A: }", 'envs.A: expected text, got nothing: write "" for an empty one'),
        ("envs: {A: null}", 'envs.A: expected text, got nothing: write "" for an empty one'),
        ("envs: {A: {b: hunter2}}", "envs.A: expected text, got a mapping"),
        ("envs: [A=hunter2]", "envs: expected a mapping of names to texts, got a list"),
        ("envs: {A=hunter2: x}", 'envs["A="]: expected the name of a variable: not empty and without ='),
        ("envs: {'': x}", 'envs[""]: expected the name of a variable: not empty and without ='),
        ("vital: 'true'", 'vital: expected true or false, got "true"'),
        ("vital: 1", "vital: expected true or false, got 1"),
        ("replicas: '2'", 'replicas: expected a whole number from 1 to 10000, got "2"'),
        ("replicas: 0", "replicas: expected a whole number from 1 to 10000, got 0"),
        ("replicas: 1.5", "replicas: expected a whole number from 1 to 10000, got 1.5"),
        (
            "stopTimeout: 10",
            "stopTimeout: expected a duration such as 10s or 1m30s, got 10: a bare number has no unit",
        ),
        ("stopTimeout: [10s]", "stopTimeout: expected a duration such as 10s or 1m30s, got a list"),
        ("stopTimeout: true", "stopTimeout: expected a duration such as 10s or 1m30s, got true"),
        ("stopSignal: SIGFOO", 'stopSignal: expected a signal such as SIGTERM or 15, got "SIGFOO"'),
        ("stopSignal: no", "stopSignal: expected a signal such as SIGTERM or 15, got no"),
        ("maxLineBytes: 1Gi", 'maxLineBytes: expected 64 to 16777216 bytes, got "1Gi"'),
        (
            "maxLineBytes: 10MB",
            'maxLineBytes: expected a size such as 10Mi, 256Ki or 4096 (bytes), got "10MB"',
        ),
        ("logFormat: xml", 'logFormat: expected one of logfmt, auto, json, free, plain, got "xml"'),
        ("logFormat: 5", "logFormat: expected one of logfmt, auto, json, free, plain, got 5"),
        ("restartPolicy: no", "restartPolicy: expected one of always, onFailure, never, got no"),
    ],
)
def test_errors(keys: str, message: str) -> None:
    """A wrong value is told with what is right; where it may be a secret, only its kind is."""
    assert messages_of(keys) == [message]


@pytest.mark.parametrize("word", ["onFailure", "OnFailure", "onfailure", "ONFAILURE"])
def test_words_in_any_case(word: str) -> None:
    """Kubernetes' spelling of a word is as good as ours."""
    assert process_of(f"restartPolicy: {word}").restart.policy.value == "onFailure"


def test_every_item_is_checked() -> None:
    """A wrong item of a list does not hide the next."""
    assert messages_of("successExitCodes: [256, 1, x]") == [
        "successExitCodes[0]: expected a whole number from 0 to 255, got 256",
        'successExitCodes[2]: expected a whole number from 0 to 255, got "x"',
    ]
