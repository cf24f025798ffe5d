from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.config.load import load
from procwrap.config.problem import ConfigError
from procwrap.config.reading import ConfigText
from procwrap.config.surroundings import Surroundings
from procwrap.errors import UsageError
from procwrap.spec.plan import Plan
from tests.support.configs import plan_of, problems_of
from tests.support.manifests import comparable, converted

SECRET = "hunter2"

KEYS = st.sampled_from(
    """
    processes name entrypoint args dir envs envsFile labels logFormat logFile path maxBytes maxLineBytes
    replicas restartPolicy restartBackoff initial max reset vital main sysProcAttr credential uid groups
    rlimits umask stopSignal stopTimeout dependsOn condition readiness liveness startup delay period http url
    headers method statuses timeout tcp socket exec command file env value floatingPid threshold heartBeat api
    logs format shutdown deadline readinessFile follow health kind x-mine <<
    """.split()  # noqa: SIM905 - sixty quotes would hide the keys
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(
        ["a", "b", "10s", "1Mi", "TERM", ":80", "http://a/", "always", "ready", "027", "a\0", "\ud800"]
    )
    | st.text(max_size=8)
)
MANIFEST_KEYS = st.sampled_from(
    """
    kind apiVersion metadata annotations labels prometheus.io/port spec template jobTemplate containers
    initContainers items data stringData backoffLimit name command args env value valueFrom fieldRef fieldPath
    secretKeyRef configMapKeyRef key optional envFrom prefix configMapRef secretRef resourceFieldRef resource
    divisor ports containerPort image resources limits requests memory cpu securityContext runAsUser
    runAsNonRoot fsGroup supplementalGroups capabilities add drop privileged livenessProbe readinessProbe
    startupProbe httpGet tcpSocket exec grpc port path scheme host httpHeaders periodSeconds failureThreshold
    lifecycle postStart preStop sleep seconds stopSignal restartPolicy terminationGracePeriodSeconds daemons
    description vital log api auth enabled https private_key pidzero prettylogging processes
    """.split()  # noqa: SIM905
)
MANIFEST_SCALARS = st.sampled_from(
    """
    Pod Job ConfigMap List Always Never a b $(A) limits.memory metadata.name metadata.labels['a'] 1Gi http 80
    HTTPS SIGINT A=b a\0 YQ==
    """.split()  # noqa: SIM905
)
CONFIGS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)
PROCESSES = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abc"), "entrypoint": st.just("x")}).flatmap(
        lambda base: st.dictionaries(KEYS, CONFIGS, max_size=4).map(lambda extra: {**extra, **base})
    ),
    max_size=3,
)


INNER = st.recursive(
    SCALARS | MANIFEST_SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MANIFEST_KEYS, inner, max_size=5),
    max_leaves=20,
)
CONTAINERS = st.lists(
    st.dictionaries(MANIFEST_KEYS, INNER, max_size=4).map(
        lambda extra: {"name": "a", "command": ["x"], **extra}
    ),
    max_size=3,
)
PODS = st.dictionaries(MANIFEST_KEYS, INNER, max_size=3).flatmap(
    lambda extra: CONTAINERS.map(lambda found: {**extra, "containers": found})
)
MANIFESTS = (
    PODS
    | CONTAINERS
    | PODS.map(lambda pod: {"kind": "Pod", "spec": pod})
    | PODS.map(lambda pod: {"kind": "Job", "spec": {"template": {"spec": pod}}})
    | INNER.map(lambda value: {"kind": "CronJob", "spec": value})
    | INNER.map(lambda value: {"daemons": [value], "api": value})
    | INNER.map(lambda value: {"daemons": [{"name": "a", "command": "b", "env": value}], "pidzero": value})
)


def outcome(data: bytes, *, is_json: bool = False) -> Plan | UsageError:
    """A plan or an error whose every line is printable and begins with the file; nothing else may happen."""
    try:
        return load(ConfigText("f", data, is_json=is_json))
    except ConfigError as caught:
        error = caught
    assert error.problems
    assert all(line.isprintable() and line.startswith("f:") for line in str(error).split("\n"))
    return error


@given(CONFIGS | PROCESSES, st.booleans())
def test_any_json(value: Any, is_json: bool) -> None:
    """Whatever stands where, JSON is a plan or an error with places."""
    outcome(json.dumps(value).encode(), is_json=is_json)


@given(MANIFESTS | INNER, MANIFESTS | INNER)
def test_any_manifest(value: Any, other: Any) -> None:
    """Whatever stands where, a manifest or a config of pidzero is a plan or an error with places."""
    outcome(json.dumps(value).encode())
    outcome(f"{json.dumps(value)}\n---\n{json.dumps(other)}\n".encode())


@given(PODS)
def test_what_is_good_converts_to_the_same(pod: Any) -> None:
    """A manifest that loads converts to a native config that asks for the same."""
    data = json.dumps(pod).encode()
    made = outcome(data)
    if isinstance(made, Plan):
        assert comparable(converted(data, Surroundings())) == comparable(made)


@given(st.text(alphabet="abx-:,[]{}&*!<?|>'\"%#@~ \n\t1\\\0é\ufeff\u2028", max_size=60))
def test_any_yaml(text: str) -> None:
    """Whatever the signs, YAML is a plan or an error with places."""
    outcome(text.encode())


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    """Whatever the bytes, they are a plan or an error."""
    outcome(data)


@given(st.text(alphabet="ab", max_size=3), st.lists(st.sampled_from("[]{}:,*&!'\"-? \n"), max_size=6))
def test_any_slip_in_a_good_config(name: str, slips: list[str]) -> None:
    """A good config with a few signs put in somewhere is a plan or an error with places."""
    good = f"processes:\n- name: {name}\n  entrypoint: x\n  envs: {{A: b}}\n  args: [a, b]\n"
    for number, slip in enumerate(slips):
        at = (number * 17 + len(slips) * 5) % len(good)
        good = good[:at] + slip + good[at:]
    outcome(good.encode())


@pytest.mark.parametrize(
    "keys",
    [
        f"envs: {{A: !x {SECRET}}}",
        f"envs: {{A: [{SECRET}]}}",
        f"envs: {{A: {{b: {SECRET}}}}}",
        f"envs: {{A: *{SECRET}}}",
        f"envs: {{A: b: {SECRET}}}",
        f"envs: {{'A B={SECRET}': 1}}",
        f"envs: ['A={SECRET}']",
        f"envs: {SECRET}",
        f'envs: {{A: "{SECRET}\\0"}}',
        f"A={SECRET}: x",
        f"args: --password={SECRET}",
        f"args: [['{SECRET}']]",
        f"command: {SECRET}",
        f"readiness: {{http: {{url: 'http://me:{SECRET}@h:x/'}}}}",
        f"readiness: {{http: {{url: 'x://me:{SECRET}@h/'}}}}",
        f"readiness: {{http: {{url: 'http://h', headers: {{A: \"{SECRET}\\n\"}}}}}}",
        f"readiness: {{http: {{url: 'http://h', headers: ['A: {SECRET}']}}}}",
        f"readiness: {{tcp: {{socket: 'me:{SECRET}@h'}}}}",
        f"readiness: {{env: {{name: A, value: [{SECRET}]}}}}",
        f"readiness: {{env: {SECRET}}}",
        f"readiness: {{exec: {{command: 'x {SECRET}'}}}}",
        f"readiness: {{exec: {{command: {{entrypoint: x, envs: {{A: [{SECRET}]}}}}}}}}",
    ],
)
def test_no_secret_in_an_error(keys: str) -> None:
    """However a secret's place is mistaken, its value stays out of the message."""
    lines = problems_of(f"[{{name: a, entrypoint: x, {keys}}}]")
    assert lines
    assert SECRET not in "\n".join(lines)


def test_no_secret_in_a_repr() -> None:
    """Nor does the text's own repr show it."""
    assert SECRET not in repr(ConfigText("f", f"[{{envs: {{A: {SECRET}}}}}]".encode()))


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 4_000_000,
        b'{"a":' * 800_000,
        b"- " * 2_000_000,
        b"&a " * 1_000_000,
        b"x" * 10_000_000,
        b"a: &a [" + b"x," * 200_000,
        b"\n" * 4_000_000,
        b"---\n" * 1_000_000,
        b"b: [*a, *a]\n" * 300_000,
    ],
    ids=lambda data: f"{len(data)} of {data[:6]!r}",
)
def test_large_nonsense_is_refused_soon(data: bytes) -> None:
    """Megabytes of nonsense cost a second or so, not minutes."""
    start = time.process_time()
    assert isinstance(outcome(data), UsageError)
    assert time.process_time() - start < 10


def test_values_of_megabytes() -> None:
    """A long value is checked in time proportional to its length, and cut in the message."""
    start = time.process_time()
    for key in ("stopTimeout", "maxLineBytes", "stopSignal", "name", "replicas", "logFormat"):
        for piece in ("1", "1s", "a"):
            value = piece * (1_000_000 // len(piece))
            assert len("\n".join(problems_of(f'[{{"{key}": "{value}"}}]'))) < 1000
    assert time.process_time() - start < 10


def test_a_large_config_is_no_trouble() -> None:
    """Some hundred processes load."""
    text = json.dumps([{"name": f"p{number}", "entrypoint": "x"} for number in range(500)])
    assert len(plan_of(text).processes) == 500
