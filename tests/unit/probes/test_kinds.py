from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from twisted.internet.testing import MemoryReactorClock
from zope.interface.verify import verifyObject

from procwrap.interfaces import IProbe
from procwrap.probes.kinds import KINDS, build
from procwrap.spec.probe import (
    EnvProbe,
    ExecProbe,
    FileProbe,
    FloatingPidProbe,
    HeartBeatProbe,
    HttpProbe,
    Probe,
    TcpProbe,
)
from tests.support.probes import context

ROOT = Path(__file__).parents[3]

SPECS = [
    (HttpProbe("http://localhost/"), "http"),
    (TcpProbe("localhost", 80), "tcp"),
    (ExecProbe("/bin/true"), "exec"),
    (FileProbe("/x"), "file"),
    (EnvProbe("A", "b"), "env"),
    (FloatingPidProbe(), "floatingPid"),
    (HeartBeatProbe(1.0), "heartBeat"),
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
