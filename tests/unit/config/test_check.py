from __future__ import annotations

import pytest

from tests.support.configs import plan_of, problems_of


def process(name: str, rest: str = "") -> str:
    return f"- {{name: {name}, entrypoint: x{', ' if rest else ''}{rest}}}\n"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            process("a") + process("b") + process("a"),
            ["3:10: processes[2].name: the name is already taken in line 1: names are unique"],
        ),
        (
            process("a", "replicas: 2") + process("a_1"),
            ["2:10: processes[1].name: the replica's name a_1 is already taken in line 1: names are unique"],
        ),
        (
            process("a_1") + process("a", "replicas: 2"),
            ["2:10: processes[1].name: the replica's name a_1 is already taken in line 1: names are unique"],
        ),
        (
            process("a", "replicas: 2") + process("a"),
            ["2:10: processes[1].name: the name is already taken in line 1: names are unique"],
        ),
        (
            process("db") + process("api", "dependsOn: [dbb]") + process("web", "dependsOn: [{name: zzz}]"),
            [
                "2:42: processes[1].dependsOn[0]: there is no process of this name: did you mean db?",
                "3:49: processes[2].dependsOn[0].name: there is no process of this name",
            ],
        ),
        (
            process("a", "dependsOn: [a]"),
            ["1:40: processes[0].dependsOn[0]: a process cannot depend on itself"],
        ),
        (
            process("a", "replicas: 2, dependsOn: [a_0]"),
            ["1:53: processes[0].dependsOn[0]: a process cannot depend on itself"],
        ),
        (
            process("a") + process("b", "dependsOn: [a, {name: a, condition: started}]"),
            ["2:50: processes[1].dependsOn[1].name: given twice: keep one of them"],
        ),
        (
            process("a", "dependsOn: [b]") + process("b", "dependsOn: [c]") + process("c", "dependsOn: [a]"),
            ["1:39: processes[0].dependsOn: processes wait for each other in a circle: a -> b -> c -> a"],
        ),
        (
            process("a", "replicas: 2, dependsOn: [b_0]") + process("b", "replicas: 2, dependsOn: [a]"),
            ["1:52: processes[0].dependsOn: processes wait for each other in a circle: a -> b -> a"],
        ),
        (
            process("a", "main: true") + process("b", "main: true"),
            ["2:34: processes[1].main: a is main already: at most one process can be"],
        ),
        (
            process("a", "main: true, replicas: 2"),
            ["1:34: processes[0].main: at most one process can be main: it cannot have several replicas"],
        ),
        (
            process("a", "logFile: {path: /x/y.log}") + process("b", "logFile: {path: /x//y.log}"),
            ["2:44: processes[1].logFile.path: this is also the log file of a: each process needs its own"],
        ),
        (
            "".join(process(f"p{n}", "replicas: 10000") for n in range(3)),
            ["3:39: processes[2].replicas: more than 20,000 processes with all replicas"],
        ),
        (
            process("a", "replicas: 2000") + process("b", "replicas: 2000, dependsOn: [a]"),
            [
                (
                    "2:55: processes[1].dependsOn: more than 1,000,000 dependencies, each replica on each:"
                    " name single replicas"
                )
            ],
        ),
    ],
)
def test_errors(text: str, messages: list[str]) -> None:
    """What two processes do to each other is told at the place of the later one."""
    assert problems_of(text) == [f"app.yaml:{message}" for message in messages]


def test_with_problems_elsewhere() -> None:
    """A process whose name cannot be read does not hide what is wrong between the others."""
    text = (
        "- {entrypoint: x, logFile: {}, dependsOn: [{}]}\n- {entrypoint: y}\n" + process("a") + process("a")
    )
    assert [line.split(": ", 2)[1] for line in problems_of(text)] == [
        "processes[0].name",
        "processes[0].logFile.path",
        "processes[0].dependsOn[0].name",
        "processes[1].name",
        "processes[3].name",
    ]


def test_what_is_skipped_hurts_nobody() -> None:
    """A universal config may have two mains or a circle, as long as one side of it is skipped."""
    text = process("a", "main: true, dependsOn: [b]") + process("b", "main: true, dependsOn: [a]")
    assert [kept.name for kept in plan_of(text, skip=["b"]).processes] == ["a"]


def test_two_descriptors() -> None:
    """A process says on one descriptor that it is ready, whichever of its checks listen to it."""
    checks = "startup: {notify: {fd: 3}}, readiness: {notify: {fd: %d}}, liveness: {notify: {watchdog: 1s}}"
    [line] = problems_of(process("a", checks % 4))
    assert line == (
        "app.yaml:1:81: processes[0].readiness.notify.fd: startup has 3: "
        "a process says on one descriptor that it is ready"
    )
    assert plan_of(process("a", checks % 3)).processes


def test_a_main_with_one_replica() -> None:
    """One replica is one process."""
    assert plan_of(process("a", "main: true, replicas: 1")).processes[0].restart.main


def test_waiting_for_what_never_completes() -> None:
    """A dependency on the end of a process that is always restarted is worth a warning."""
    text = process("a") + process("b", "dependsOn: [{name: a, condition: completed}]")
    assert plan_of(text).warnings == (
        "b waits for a to complete, but its restartPolicy is always: it may never do so",
    )
    assert plan_of(text.replace("x}", "x, restartPolicy: never}", 1)).warnings == ()


def test_a_chain_of_hundreds() -> None:
    """Neither a long chain nor a long circle of dependencies overflows anything."""
    chain = "".join(process(f"p{n}", f"dependsOn: [p{n + 1}]") for n in range(600))
    assert len(plan_of(chain + process("p600")).processes) == 601
    [line] = problems_of(chain + process("p600", "dependsOn: [p0]"))
    assert "circle" in line
