from __future__ import annotations

import signal

import pytest

from procwrap.spec.logs import LogFile, LogFormat, LogSpec
from procwrap.spec.process import (
    AfterTooMany,
    Backoff,
    Condition,
    Dependency,
    MaxRestarts,
    ProcessSpec,
    Restart,
    RestartPolicy,
    Stop,
)
from tests.support.configs import messages_of, plan_of, problems_of, process_of


def test_the_least() -> None:
    """A name and an entrypoint are enough; the rest has the defaults of the spec."""
    assert plan_of("[{name: a, entrypoint: b}]").processes == (ProcessSpec("a", "b"),)


def test_the_most() -> None:
    """Every key of a process arrives where it belongs (probes and attributes have tests of their own)."""
    plan = plan_of(
        """
        - {name: db, entrypoint: db}
        - {name: job, entrypoint: job, restartPolicy: Never}
        - name: api
          entrypoint: /usr/bin/api
          args: ["--port", "8080"]
          dir: /srv/api
          envs: {PORT: "8080"}
          envsFile: /vault/secrets/api
          labels: {team: core}
          logFormat: plain
          logFile: {path: /var/log/api.log, maxBytes: 1Mi, backups: 0}
          maxLineBytes: 64Ki
          restartPolicy: onFailure
          restartBackoff: {initial: 100ms, max: 5s, reset: 0}
          maxRestarts: {count: 3, period: 1m, then: exit}
          successExitCodes: [3, 143]
          vital: true
          main: true
          stopSignal: SIGINT
          stopTimeout: 0s
          dependsOn: [db, {name: job, condition: completed}]
        """
    )
    assert plan.processes[2] == ProcessSpec(
        name="api",
        entrypoint="/usr/bin/api",
        args=("--port", "8080"),
        directory="/srv/api",
        envs=(("PORT", "8080"),),
        env_file="/vault/secrets/api",
        labels=(("team", "core"),),
        log=LogSpec(LogFormat.FREE, LogFile("/var/log/api.log", 2**20, 0), 65536),
        restart=Restart(
            policy=RestartPolicy.ON_FAILURE,
            backoff=Backoff(0.1, 5.0, 0.0),
            limit=MaxRestarts(3, 60.0, AfterTooMany.EXIT),
            success_exit_codes=frozenset({0, 3, 143}),
            vital=True,
            main=True,
        ),
        stop=Stop(signal.SIGINT, 0.0),
        depends_on=(Dependency("db"), Dependency("job", Condition.COMPLETED)),
    )


def test_partial_sections_keep_the_other_defaults() -> None:
    """A section that names one setting leaves the others as they were."""
    process = process_of("restartBackoff: {initial: 2m}, maxRestarts: {}, logFile: {path: x}")
    assert process.restart.backoff == Backoff(120.0, 120.0, 60.0)
    assert process.restart.limit == MaxRestarts(5, 300.0, AfterTooMany.IGNORE)
    assert process.log.file == LogFile("x")


@pytest.mark.parametrize(
    ("keys", "messages"),
    [
        ("restartBackoff: {initial: 0s}", ['restartBackoff.initial: expected at least 10ms, got "0s"']),
        (
            "restartBackoff: {initial: 10s, max: 1s}",
            ["restartBackoff.max: expected max to be no shorter than initial"],
        ),
        ("restartBackoff: 5s", ["restartBackoff: expected a mapping, got text"]),
        ("maxRestarts: {then: stop}", ['maxRestarts.then: expected one of ignore, exit, got "stop"']),
        ("logFile: /var/log/x", ["logFile: expected a mapping, got text"]),
        (
            "logFile: {maxBytes: 0}",
            ["logFile.path: is missing", "logFile.maxBytes: expected 1 to 1152921504606846976 bytes, got 0"],
        ),
        ("dependsOn: db", ["dependsOn: expected a list, got text"]),
        ("dependsOn: [{condition: ready}]", ["dependsOn[0].name: is missing"]),
        (
            "dependsOn: [{name: 'a b', condition: up}]",
            [
                'dependsOn[0].name: expected letters, digits and . _ - (at most 100), got "a b"',
                'dependsOn[0].condition: expected one of started, ready, completed, got "up"',
            ],
        ),
        ("restartPolcy: never", ["restartPolcy: unknown key: did you mean restartPolicy?"]),
    ],
)
def test_errors(keys: str, messages: list[str]) -> None:
    """Each wrong setting of a process is told at its place."""
    assert messages_of(keys) == messages


@pytest.mark.parametrize("key", ["lock", "command", "image"])
def test_keys_that_nothing_stands_behind(key: str) -> None:
    """A key without its feature is an error, never a silent nothing."""
    [line] = messages_of(f"{key}: x")
    assert line.startswith(f"{key}: unknown key: ")


def test_all_problems_at_once() -> None:
    """One run shows everything that is wrong, in the order of the text."""
    text = """\
        - entrypoint: run
          dir: 5
        - x
        - name: c
          entrypoint: run
          retries: 3
          readiness:
            tcp:
              socket: 5673
        """
    lines = problems_of(text)
    assert [line.split(": ")[:2] for line in lines] == [
        ["app.yaml:1:3", "processes[0].name"],
        ["app.yaml:2:8", "processes[0].dir"],
        ["app.yaml:3:3", "processes[1]"],
        ["app.yaml:6:3", "processes[2].retries"],
        ["app.yaml:9:15", "processes[2].readiness.tcp.socket"],
    ]
    assert lines[-1] == 'app.yaml:9:15: processes[2].readiness.tcp.socket: expected "host:port", got 5673'
