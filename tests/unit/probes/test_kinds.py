from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from twisted.internet.testing import MemoryReactorClock
from zope.interface.verify import verifyObject

from procwrap.interfaces import IProbe
from procwrap.probes.kinds import INSTALLED_BY, KINDS, build, missing
from procwrap.spec.probe import (
    AmqpProbe,
    EnvProbe,
    ExecProbe,
    FileProbe,
    FloatingPidProbe,
    GrpcProbe,
    HeartBeatProbe,
    HttpProbe,
    LockProbe,
    NotifyProbe,
    PluginProbe,
    Probe,
    SqlProbe,
    TcpProbe,
)
from tests.support.probes import context

ROOT = Path(__file__).parents[3]
EXTRA = re.compile(r"procwrap\[(\w+)\]")

SPECS = [
    (HttpProbe("http://localhost/"), "http"),
    (TcpProbe("localhost", 80), "tcp"),
    (ExecProbe("/bin/true"), "exec"),
    (FileProbe("/x"), "file"),
    (EnvProbe("A", "b"), "env"),
    (FloatingPidProbe(), "floatingPid"),
    (HeartBeatProbe(1.0), "heartBeat"),
    (SqlProbe(dsn="postgresql://u@h/db"), "sql"),
    (AmqpProbe(dsn="amqp://u@h/"), "amqp"),
    (GrpcProbe("localhost", 50051), "grpc"),
    (NotifyProbe(), "notify"),
    (LockProbe(2.0), "lock"),
    (PluginProbe("mine", lambda settings, context: None, None), "mine"),
]


@pytest.mark.parametrize(("spec", "kind"), SPECS)
def test_build(spec: Probe, kind: str) -> None:
    """Every kind of probe in a config can be built, and is called what it is called there."""
    probe = build(spec, context(MemoryReactorClock()))
    verifyObject(IProbe, probe)
    assert probe.kind == kind
    assert probe.target
    assert probe.expected
    probe.close()


def test_every_spec_has_its_class() -> None:
    """No probe can be configured that nobody can build."""
    assert set(KINDS) == set(get_args(Probe)) == {type(spec) for spec, _ in SPECS}


def test_only_http_imports_an_http_client() -> None:
    """A config without http probes does not pay for treq, nor one without https for TLS."""
    code = """
import sys, twisted.internet.reactor
before = set(sys.modules)
import procwrap.probes.checkup, procwrap.probes.kinds, procwrap.probes.tcp
print(sorted({"treq", "twisted.web", "OpenSSL"} & (set(sys.modules) - before)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_probe_whose_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one line that says how to get the package, every time it is looked for; and it heals."""
    for module in [name for name in sys.modules if name.split(".")[0] == "h2" or ".grpc" in name]:
        monkeypatch.delitem(sys.modules, module)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "h2", None)
        for _ in range(2):
            with pytest.raises(ImportError) as caught:
                build(GrpcProbe("localhost", 1), context(MemoryReactorClock()))
            assert str(caught.value) == "grpc needs h2: pip install 'procwrap[grpc]'"
    assert build(GrpcProbe("localhost", 1), context(MemoryReactorClock())).kind == "grpc"


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("pymysql.cursors", "sql needs pymysql: pip install 'procwrap[mysql]'"),
        ("psycopg2", "sql needs psycopg2: pip install psycopg2-binary"),
        ("pika", "sql needs pika: pip install pika"),
    ],
)
def test_missing_packages(package: str, line: str) -> None:
    """The advice names what pip has to be told, which is not always the package's own name."""
    assert str(missing("sql", ModuleNotFoundError(name=package))) == line


@pytest.mark.parametrize("name", ["procwrap.probes.nix", "", None])
def test_no_advice_that_does_not_help(name: str | None) -> None:
    """A module of our own that is missing is no matter for pip."""
    error = ModuleNotFoundError("No module named …", name=name)
    assert missing("sql", error) is error


def test_extras_are_those_of_setup() -> None:
    """What the advice calls an extra is one that setup.py has, and brings the package."""
    setup = (ROOT / "setup.py").read_text("utf-8")
    extras = {
        package: found[1] for package, install in INSTALLED_BY.items() if (found := EXTRA.search(install))
    }
    assert extras == {"h2": "grpc", "pymysql": "mysql"}
    assert all(f'"{extra}": ["{package}' in setup for package, extra in extras.items())
