from __future__ import annotations

import pytest

from procwrap.spec.hook import CommandHook, PostStart, PreStop
from procwrap.spec.probe import HttpProbe, SqlProbe
from tests.support.configs import messages_of, plan_of, process_of

WARM = "command: {entrypoint: /bin/warm}"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (WARM, PostStart(30.0, CommandHook("/bin/warm"))),
        (
            "deadline: 1m, command: {entrypoint: warm, args: [-n, 3], envs: {A: 1}}",
            PostStart(60.0, CommandHook("warm", ("-n", "3"), (("A", "1"),))),
        ),
        (f"{WARM}, envs: {{A: 1}}", PostStart(30.0, CommandHook("/bin/warm", (), (("A", "1"),)))),
        ("sql: {queries: [select 1]}", PostStart(sql=SqlProbe(("select 1",)))),
        ("sql: ", PostStart(sql=SqlProbe())),
        (f"{WARM}, sql: {{}}", PostStart(30.0, CommandHook("/bin/warm"), SqlProbe())),
        (
            "http: {url: 'http://h/warm'}, sleep: 1s, when: started",
            PostStart(http=HttpProbe("http://h/warm"), sleep=1.0, at_start=True),
        ),
    ],
)
def test_post_start(keys: str, expected: PostStart) -> None:
    """A command, queries or both, with one deadline; the seed's ``envs`` beside the command work too."""
    assert process_of(f"postStart: {{{keys}}}").post_start == expected


def test_envs_of_the_command_win() -> None:
    """Of a variable that is given for the hook and for its command, the nearer one comes last."""
    keys = "envs: {A: outer}, command: {entrypoint: warm, envs: {A: inner}}"
    made = process_of(f"postStart: {{{keys}}}").post_start
    assert made is not None
    assert made.command is not None
    assert dict(made.command.envs) == {"A": "inner"}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("command: {entrypoint: /bin/drain, args: [x]}", PreStop(CommandHook("/bin/drain", ("x",)))),
        (
            "http: {url: 'http://:80/quit', method: post}",
            PreStop(http=HttpProbe("http://localhost:80/quit", method="POST")),
        ),
        ("sleep: 5s", PreStop(sleep=5.0)),
        ("sleep: 5s, command: null", PreStop(sleep=5.0)),
    ],
)
def test_pre_stop(keys: str, expected: PreStop) -> None:
    """One of three; a key that is null is not given."""
    assert process_of(f"preStop: {{{keys}}}").pre_stop == expected


@pytest.mark.parametrize(
    ("keys", "messages"),
    [
        (
            "postStart: {}",
            ["postStart: nothing to run: expected at least one of command, sql, http and sleep"],
        ),
        (
            "postStart: {command: null}",
            ["postStart: nothing to run: expected at least one of command, sql, http and sleep"],
        ),
        ("postStart: x", ["postStart: expected a mapping, got text"]),
        ("postStart: {command: {}}", ["postStart.command.entrypoint: is missing"]),
        ("postStart: {command: x, envs: {A: 1}}", ["postStart.command: expected a mapping, got text"]),
        (
            "postStart: {sql: {}, envs: {A: 1}}",
            ["postStart.envs: expected a command with it: only a command has an environment"],
        ),
        (
            f"postStart: {{{WARM}, deadline: 0s}}",
            ['postStart.deadline: expected at least 1ms, got "0s"'],
        ),
        (
            "postStart: {sql: {timeout: 1s}}",
            ["postStart.sql.timeout: expected none here: deadline is for the whole hook"],
        ),
        (
            f"postStart: {{{WARM}, when: later, slep: 1s}}",
            [
                'postStart.when: expected one of healthy, started, got "later"',
                "postStart.slep: unknown key: did you mean sleep?",
            ],
        ),
        ("preStop: {}", ["preStop: expected exactly one of command, http and sleep"]),
        (f"preStop: {{{WARM}, sleep: 1s}}", ["preStop: expected exactly one of command, http and sleep"]),
        (
            "preStop: {http: {url: 'http://x/', timeout: 1s}}",
            ["preStop.http.timeout: expected none here: stopTimeout is for the hook too"],
        ),
        (
            "preStop: {sleep: 5}",
            ["preStop.sleep: expected a duration such as 10s or 1m30s, got 5: a bare number has no unit"],
        ),
        ("memoryLimitMB: 0", ["memoryLimitMB: expected a whole number from 1 to 67108864, got 0"]),
        ("memoryLimitMB: 1Gi", ['memoryLimitMB: expected a whole number from 1 to 67108864, got "1Gi"']),
    ],
)
def test_errors(keys: str, messages: list[str]) -> None:
    """What is wrong is told once, at its place, with what is right instead."""
    assert messages_of(keys) == messages


def test_a_memory_limit_counts_in_mebibytes() -> None:
    """As the kernel's own counters do, and as the seed meant its MB."""
    assert process_of("memoryLimitMB: 512").memory_limit == 512 * 1024 * 1024


def test_replicas_have_their_own() -> None:
    """A replica has every setting of the original, its hooks and its limit among them."""
    hooks = f"postStart: {{{WARM}}}, preStop: {{sleep: 1s}}"
    text = f"[{{name: a, entrypoint: b, replicas: 2, memoryLimitMB: 1, {hooks}}}]"
    for spec in plan_of(text).processes:
        assert spec.post_start == PostStart(command=CommandHook("/bin/warm"))
        assert (spec.pre_stop, spec.memory_limit) == (PreStop(sleep=1.0), 1024 * 1024)


def test_secrets_do_not_show() -> None:
    """The environment of a hook's command and the password of its database are no part of what is shown."""
    found = process_of(
        "postStart: {envs: {TOKEN: hunter2}, command: {entrypoint: x},"
        " sql: {dsn: 'postgresql://u:hunter2@h/db'}}"
    ).post_start
    assert found is not None
    assert found.command is not None
    fields = [*type(found.command).__attrs_attrs__, *type(found.sql).__attrs_attrs__]
    assert {field.name for field in fields if field.metadata.get("secret")} == {"envs", "dsn"}
