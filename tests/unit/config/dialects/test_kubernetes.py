"""Whole manifests: kinds, documents, init containers, Jobs, annotations."""

from __future__ import annotations

import base64

import pytest

from procwrap.config.dialects.kubernetes import WORKLOADS
from procwrap.spec.process import Condition, Dependency, MaxRestarts, PromTarget, RestartPolicy
from tests.support.manifests import manifest, pod, problems

CONTAINERS = "containers: [{name: a, command: [run]}]"
TEMPLATE = f"{{spec: {{template: {{spec: {{restartPolicy: Never, {CONTAINERS}}}}}}}}}"


@pytest.mark.parametrize("kind", [kind for kind in WORKLOADS if kind not in ("Pod", "CronJob")])
def test_templates(kind: str) -> None:
    """All kinds that have a template are run, whatever their controller would do."""
    text = f"kind: {kind}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n      {CONTAINERS}\n"
    plan = manifest(text)
    assert [made.name for made in plan.processes] == ["a"]
    assert plan.dialect == "Kubernetes"


def test_paths_are_the_users() -> None:
    """However deep a mistake stands, its line, column and path are those of the manifest."""
    text = (
        "kind: CronJob\nspec:\n  schedule: '* * * * *'\n  jobTemplate:\n    spec:\n      template:\n"
        "        spec:\n          restartPolicy: Never\n          containers:\n"
        "            - {name: a b, command: [x]}\n"
    )
    [line] = problems(text)
    path = "spec.jobTemplate.spec.template.spec.containers[0].name"
    assert line == f'10:22: {path}: expected letters, digits and . _ - (at most 100), got "a b"'


def test_init_containers_come_first() -> None:
    """They run to their end in order; a sidecar has only to have started, with a startup probe to be up."""
    plan = pod(
        """
        initContainers:
          - {name: one, command: [x]}
          - {name: side, command: [x], restartPolicy: Always}
          - {name: slow, command: [x], restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}}}
        containers:
          - {name: app, command: [x]}
        """
    )
    one, side, slow, app = plan.processes
    first, second = Dependency("one", Condition.COMPLETED), Dependency("side", Condition.STARTED)
    assert (one.depends_on, one.restart.policy) == ((), RestartPolicy.ON_FAILURE)
    assert (side.depends_on, side.restart.policy, side.restart.background) == (
        (first,), RestartPolicy.ALWAYS, True,
    )  # fmt: skip
    assert slow.depends_on == (first, second)
    assert app.depends_on == (first, second, Dependency("slow", Condition.READY))
    assert plan.warnings == ()


def test_init_containers_have_no_probes() -> None:
    """As Kubernetes refuses them, so does procwrap."""
    init = "initContainers: [{name: i, command: [x], readinessProbe: {tcpSocket: {port: 1}}}]"
    [line] = problems(f"{{{init}, {CONTAINERS}}}")
    assert line.endswith("readinessProbe: expected none in an init container without restartPolicy: Always")


def test_jobs_give_up() -> None:
    """Restarts beyond the backoffLimit end everything; a Job cannot be restarted always."""
    template = f"{{spec: {{restartPolicy: OnFailure, {CONTAINERS}}}}}"
    text = f"kind: Job\nspec:\n  backoffLimit: 2\n  template: {template}"
    [made] = manifest(text).processes
    assert made.restart.policy is RestartPolicy.ON_FAILURE
    assert made.restart.limit is not None
    assert (made.restart.limit.count, made.restart.limit.then.value) == (2, "exit")
    [line] = problems(text.replace("OnFailure", "Always"))
    assert line.endswith("restartPolicy: expected OnFailure or Never, as a Job has it")
    [line] = problems(text.replace("restartPolicy: OnFailure, ", ""))
    assert line.endswith("restartPolicy: is missing")
    assert MaxRestarts().count == 5


def test_annotations_become_a_target() -> None:
    """The container that has the port, else the first, is where the metrics are."""
    text = (
        "kind: Pod\nmetadata: {annotations: {prometheus.io/port: '9', prometheus.io/path: m}}\n"
        "spec: {containers: [{name: a, command: [x]}, {name: b, command: [x], ports: [{containerPort: 9}]}]}"
    )
    one, two = manifest(text).processes
    assert (one.prom_target, two.prom_target) == (None, PromTarget("http://localhost:9/m"))
    off = text.replace("{prometheus.io/port", "{prometheus.io/scrape: 'false', prometheus.io/port")
    assert [made.prom_target for made in manifest(off).processes] == [None, None]


def test_several_documents() -> None:
    """The one with containers is run, config maps and secrets serve it, the others are listed."""
    secret = base64.b64encode(b"sesame").decode()
    ref = "valueFrom: {{secretKeyRef: {{name: s, key: {}}}}}"
    env = f"[{{name: P, {ref.format('p')}}}, {{name: Q, {ref.format('q')}}}]"
    text = (
        f"kind: Service\n---\nkind: Pod\nspec: {{containers: [{{name: a, command: [x], env: {env}}}]}}\n---\n"
        f"kind: Secret\nmetadata: {{name: s}}\ndata: {{p: {secret}}}\nstringData: {{q: plain}}\n"
    )
    plan = manifest(text)
    assert dict(plan.processes[0].envs) == {"P": "sesame", "Q": "plain"}
    assert plan.ignored == ("app.yaml:1:1: kind: ignored: Service has no containers",)
    [line] = problems(text.replace(secret, "'%%%'"))
    assert line == "8:11: data.p: expected UTF-8 in base64: write it below stringData if it is plain text"


def test_a_list_of_objects() -> None:
    """What ``kubectl get -o yaml`` prints is read like several documents."""
    text = f"kind: List\nitems:\n- {{kind: Service}}\n- {{kind: Pod, spec: {{{CONTAINERS}}}}}"
    assert [made.name for made in manifest(text).processes] == ["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Service", f'1:1: kind: "Service" has no containers: expected one of {", ".join(WORKLOADS)}'),
        ("kind: Deploiment", '1:1: kind: "Deploiment" has no containers: did you mean Deployment?'),
        ("kind: Pod", "1:1: spec: is missing"),
        ("kind: Pod\nspec: 5", "2:7: spec: expected a mapping, got a number"),
        (
            "kind: Pod\nspec: {containers: []}",
            "2:20: spec.containers: expected at least one container, got an empty list",
        ),
        (
            f"kind: Pod\nspec: {{{CONTAINERS}}}\n---\nkind: Job",
            "4:7: kind: only one object with containers can be run, and the Pod in line 1 is the first",
        ),
        (
            f"kind: Pod\nspec: {{activeDeadlineSeconds: 5, {CONTAINERS}}}",
            "2:31: spec.activeDeadlineSeconds: cannot be done: set it on the Pod that procwrap runs in",
        ),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    """What cannot be run is told in one line."""
    assert problems(text) == [message]


def test_names_are_unique() -> None:
    """Init containers and containers share their names, as in Kubernetes."""
    [line] = problems(f"{{initContainers: [{{name: a, command: [x]}}], {CONTAINERS}}}")
    assert line.startswith("1:")
    assert line.endswith("containers[0].name: the name is already taken in line 1: names are unique")


def test_unknown_keys_everywhere() -> None:
    """A slip of the pen is found at every level, and what begins with x- is the user's."""
    text = f"kind: Pod\nx-mine: 1\nspce: {{}}\nspec: {{{CONTAINERS}, restartpolicy: Never}}"
    assert [line.split(": ", 1)[1] for line in problems(text)] == [
        "spce: unknown key: did you mean spec?",
        "spec.restartpolicy: unknown key: did you mean restartPolicy?",
    ]


def test_skipping_keeps_the_order() -> None:
    """A sidecar that is skipped takes nobody's other dependencies along."""
    text = (
        "{initContainers: [{name: i, command: [x]}, {name: s, restartPolicy: Always, command: [x]}], "
        + CONTAINERS
        + "}"
    )
    [_, app] = manifest(text, skip=["s"]).processes
    assert app.depends_on == (Dependency("i", Condition.COMPLETED),)


def test_a_few_lines_cannot_become_gigabytes() -> None:
    """Variables that double each other, and many references to a large one, are refused."""
    doubling = ", ".join(f"{{name: A{n}, value: $(A{n - 1})$(A{n - 1})}}" for n in range(1, 60))
    env = f"env: [{{name: A0, value: {'x' * 1000}}}, {doubling}]"
    [first, *_] = problems(f"containers: [{{name: a, command: [x], {env}}}]")
    assert first.endswith("with its variables it is longer than 128 KiB")
    args = f"env: [{{name: A, value: {'x' * 100_000}}}], args: [{'$(A), ' * 300}]"
    assert "more than 16 MiB" in problems(f"containers: [{{name: a, command: [x], {args}}}]")[0]
    inits = ", ".join(f"{{name: i{n}, command: [x]}}" for n in range(101))
    [line] = problems(f"{{initContainers: [{inits}], {CONTAINERS}}}")
    assert line.endswith("initContainers: more than 100 init containers: too many")
