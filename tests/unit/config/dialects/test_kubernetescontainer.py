"""One container of a manifest: what becomes of each of its keys."""

from __future__ import annotations

import pytest

from procwrap.spec.hook import CommandHook, PostStart, PreStop
from procwrap.spec.probe import Check, ExecProbe, GrpcProbe, HttpProbe, TcpProbe
from procwrap.spec.process import Attributes, Backoff, Credential, RestartPolicy
from tests.support.manifests import around, complaints, container, manifest, problems

READY = "readinessProbe: "
ONE_GRACE = "cannot be done: a process has one grace period, here 30 s, whoever stops it"
NO_MORE = "cannot be done: no process has more rights than the container that procwrap runs in"
UNKNOWN = "is missing: the ENTRYPOINT of the image is not known here, so write it down"
HEADERS = "[{name: X, value: y}]"
ANY = ((100, 599),)


def test_the_least() -> None:
    """A name and a command are enough; the rest is as the kubelet does it."""
    plan = manifest("containers: [{name: app, command: [run, now], args: [-v, 1]}]")
    [made] = plan.processes
    assert (made.name, made.entrypoint, made.args) == ("app", "run", ("now", "-v", "1"))
    assert made.restart.policy is RestartPolicy.ALWAYS
    assert made.restart.backoff == Backoff(10.0, 300.0, 600.0)
    assert plan.deadline == 30.0


def test_references_in_command_and_args() -> None:
    """$(NAME) is a variable of the container or of a service; what is unknown stays, and $$ is a $."""
    args = "['$(A)', '$$(A)', '$(HOME)', '$(DB_SERVICE_HOST)', '$A $(', '$$$(A)']"
    assert container(f"env: [{{name: A, value: x}}], args: {args}").args == (
        "x",
        "$(A)",
        "$(HOME)",
        "10.0.0.5",
        "$A $(",
        "$x",
    )


def test_variables() -> None:
    """A value may refer to those before it; of two with one name the last counts."""
    env = "[{name: A, value: 1}, {name: B, value: '$(A)$(C)'}, {name: C}, {name: A, value: $$(B)}]"
    assert dict(container(f"env: {env}").envs) == {"B": "1$(C)", "C": "", "A": "$(B)"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "web-1"),
        ("metadata.namespace", "shop"),
        ("spec.nodeName", "node-7"),
        ("status.podIP", "10.1.2.3"),
    ],
)
def test_fields_of_the_pod(path: str, value: str) -> None:
    """They come from the usual variables of the container that procwrap runs in."""
    env = f"[{{name: A, valueFrom: {{fieldRef: {{fieldPath: {path}}}}}}}]"
    assert dict(container(f"env: {env}").envs) == {"A": value}


def test_unknown_fields() -> None:
    """A field that nobody knows here is an error that names the variable to set."""
    env = "env: [{{name: A, valueFrom: {{fieldRef: {{fieldPath: {}}}}}}}]"
    [line] = complaints(env.format("metadata.uid"))
    path = "env[0].valueFrom.fieldRef.fieldPath"
    assert line == f"{path}: unknown here: procwrap's own environment needs the variable POD_UID"
    [line] = complaints(env.format("metadata.nam"))
    assert line.endswith("no such field: did you mean metadata.name?")


def test_resources_as_variables() -> None:
    """Limits and requests of the container itself are known, in units of the divisor, rounded up."""
    resources = "resources: {limits: {memory: 1.5Gi, cpu: 1500m}}"
    ref = "valueFrom: {{resourceFieldRef: {{resource: {}}}}}"
    env = (
        f"[{{name: A, {ref.format('limits.memory, divisor: 1Mi')}}}, {{name: B, {ref.format('limits.cpu')}}}]"
    )
    made = container(f"{resources}, env: {env}")
    assert (dict(made.envs), made.memory_limit) == ({"A": "1536", "B": "2"}, 1536 * 2**20)
    assert complaints(f"env: [{{name: A, {ref.format('limits.cpu')}}}]")[0].endswith(
        "has no resources.limits.cpu"
    )


FILES = {"login": {"user": "me", "pass word": "x"}, "flags": {"A": "1", "B": "2", "=": "3"}}


def test_secrets_and_config_maps_from_files() -> None:
    """Values come from files, all of them too, and a key that cannot be a variable is left out."""
    keys = (
        "envFrom: [{prefix: F_, configMapRef: {name: flags}}, {secretRef: {name: none, optional: true}}], "
        "env: [{name: U, valueFrom: {secretKeyRef: {name: login, key: user}}}, {name: F_B, value: mine}, "
        "{name: N, valueFrom: {configMapKeyRef: {name: flags, key: none, optional: true}}}]"
    )
    assert dict(container(keys, around(FILES)).envs) == {"F_A": "1", "U": "me", "F_B": "mine"}


def test_missing_secrets() -> None:
    """A secret that is nowhere is an error that says where it was looked for."""
    keys = "env: [{name: U, valueFrom: {secretKeyRef: {name: login, key: no}}}]"
    at = "env[0].valueFrom.secretKeyRef: "
    assert complaints(keys) == [
        f'{at}"login/no" is not in this text: give --secrets-dir DIR, which has it as DIR/NAME/KEY'
    ]
    assert complaints(keys, around(FILES)) == [
        f'{at}"login/no" exists neither in this text nor below --secrets-dir "/secrets"'
    ]


@pytest.mark.parametrize(
    ("keys", "probe"),
    [
        ("httpGet: {port: 80}", HttpProbe("http://localhost:80/", timeout=1.0)),
        (
            "httpGet: {port: '80', scheme: HTTPS, host: '::1', path: a b?c=d, httpHeaders: HEADERS}",
            HttpProbe("https://[::1]:80/a%20b?c=d", headers=(("X", "y"),), timeout=1.0),
        ),
        ("httpGet: {port: web}", HttpProbe("http://localhost:8080/", timeout=1.0)),
        ("tcpSocket: {port: web}", TcpProbe("localhost", 8080, timeout=1.0)),
        ("exec: {command: [look, $(A)]}", ExecProbe("look", ("x",), timeout=1.0)),
        ("grpc: {port: 5, service: s}", GrpcProbe("localhost", 5, "s", timeout=1.0)),
    ],
)
def test_probes(keys: str, probe: object) -> None:
    """Each handler becomes the probe of that kind, with the kubelet's defaults; ports may have names."""
    surroundings = "ports: [{name: web, containerPort: 8080}], env: [{name: A, value: x}]"
    made = container(f"{surroundings}, {READY}{{{keys}}}".replace("HEADERS", HEADERS)).readiness
    assert made is not None
    assert made.probes == (probe,)


def test_thresholds() -> None:
    """Readiness never restarts, and takes as many failures as it says; liveness and startup restart."""
    ready = container(f"{READY}{{tcpSocket: {{port: 1}}, successThreshold: 2}}").readiness
    tcp = (TcpProbe("localhost", 1, timeout=1.0),)
    assert ready == Check(tcp, 0.0, 10.0, 3, 2, restart_on_failure=False, unhealthy_threshold=3)
    keys = "{tcpSocket: {port: 1}, initialDelaySeconds: 4, periodSeconds: 5, failureThreshold: 6}"
    made = container(f"livenessProbe: {keys}, startupProbe: {keys}")
    assert made.liveness == made.startup == Check(tcp, 4.0, 5.0, 6)


def test_hooks() -> None:
    """A postStart hook runs beside the start, as in Kubernetes; to both any HTTP answer will do."""
    hooks = "postStart: {httpGet: {port: 1}}, preStop: {exec: {command: [a, $(B)]}}"
    made = container(f"lifecycle: {{{hooks}, stopSignal: SIGINT}}")
    assert made.post_start == PostStart(
        86400.0, http=HttpProbe("http://localhost:1/", statuses=ANY), at_start=True
    )
    assert (made.pre_stop, made.stop.signal) == (PreStop(CommandHook("a", ("$(B)",))), 2)
    assert container("lifecycle: {preStop: {sleep: {seconds: 3}}}").pre_stop == PreStop(sleep=3.0)


def test_whom_it_runs_as() -> None:
    """The container's own securityContext goes before the Pod's; groups are the Pod's."""
    pod = "securityContext: {runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4, 3]}"
    own = "{name: a, command: [a], securityContext: {runAsUser: 9, allowPrivilegeEscalation: false}}"
    one, two = manifest(f"{{{pod}, containers: [{own}, {{name: b, command: [b]}}]}}").processes
    assert one.attributes == Attributes(Credential(9, 2, (3, 4)), no_new_privs=True)
    assert two.attributes == Attributes(Credential(1, 2, (3, 4)))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("readinesProbe: {}", "readinesProbe: unknown key: did you mean readinessProbe?"),
        (f"{READY}{{}}", "readinessProbe: expected exactly one of httpGet, tcpSocket, exec, grpc"),
        (f"{READY}{{httpGet: {{}}}}", "readinessProbe.httpGet.port: is missing"),
        (
            f"ports: [{{name: web, containerPort: 1}}], {READY}{{tcpSocket: {{port: wbe}}}}",
            'readinessProbe.tcpSocket.port: the container has no port named "wbe": known are web',
        ),
        (
            "livenessProbe: {tcpSocket: {port: 1}, successThreshold: 2}",
            "livenessProbe.successThreshold: expected 1, as Kubernetes does for this probe",
        ),
        (
            "livenessProbe: {tcpSocket: {port: 1}, terminationGracePeriodSeconds: 5}",
            f"livenessProbe.terminationGracePeriodSeconds: {ONE_GRACE}",
        ),
        (
            f"{READY}{{tcpSocket: {{port: 1}}, periodSeconds: 5s}}",
            'readinessProbe.periodSeconds: expected a whole number from 0 to 2147483647, got "5s"',
        ),
        ("tty: true", "tty: cannot be done: the output of a process is read through pipes, not a terminal"),
        ("securityContext: {privileged: true}", f"securityContext.privileged: {NO_MORE}"),
        (
            "resources: {limits: {memory: lots}}",
            'resources.limits.memory: expected a quantity such as 512Mi, 1G or 500m, got "lots"',
        ),
        ("env: [{name: A=B}]", "env[0].name: expected the name of a variable: not empty and without ="),
        (
            "lifecycle: {stopSignal: SIGWAT}",
            'lifecycle.stopSignal: expected a signal such as SIGTERM or 15, got "SIGWAT"',
        ),
    ],
)
def test_mistakes(keys: str, message: str) -> None:
    """A mistake is told in the user's own words, at the user's own place."""
    assert complaints(keys) == [message]


def test_no_command() -> None:
    """The entrypoint of an image cannot be known."""
    assert problems("- {name: a, image: b}") == [f"1:3: containers[0].command: {UNKNOWN}"]


def test_root_is_refused_where_it_is_forbidden() -> None:
    """To forbid it without a user is good only where procwrap itself is not root."""
    keys = "securityContext: {runAsNonRoot: true}"
    assert complaints(keys) == []
    [line] = complaints(keys, around(root=True))
    assert line.startswith("securityContext.runAsNonRoot: it would run as root, as procwrap does: ")
    assert complaints("securityContext: {runAsNonRoot: true, runAsUser: 0}")[0].startswith(
        "securityContext.runAsUser: "
    )
    assert complaints("securityContext: {capabilities: {drop: [ALL]}}", around(root=True))


@pytest.mark.parametrize("secret", ["hunter2"])
@pytest.mark.parametrize(
    "keys",
    [
        "env: [{{name: A, value: [{}]}}]",
        "env: [{{name: A, value: x, valueFrom: {{a: {}}}}}]",
        "env: {}",
        "args: [[{}]]",
        'env: [{{name: A, value: "{}\\0"}}]',
    ],
)
def test_no_secret_in_an_error(keys: str, secret: str) -> None:
    """However a value is mistaken, it stays out of the message."""
    lines = complaints(keys.format(secret))
    assert lines
    assert secret not in "\n".join(lines)
