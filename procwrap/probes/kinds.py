"""Which class looks for which kind of probe; its module is imported when the first such probe is built."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
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

KINDS: Mapping[type, str] = {
    HttpProbe: "procwrap.probes.http.Http",
    TcpProbe: "procwrap.probes.tcp.Tcp",
    ExecProbe: "procwrap.probes.exec.Exec",
    FileProbe: "procwrap.probes.file.File",
    EnvProbe: "procwrap.probes.env.Env",
    FloatingPidProbe: "procwrap.probes.floatingpid.FloatingPid",
    HeartBeatProbe: "procwrap.probes.heartbeat.HeartBeat",
}
"""Spec class to the dotted name of a class that is called with the spec and a ProbeContext."""


def build(spec: Probe, context: ProbeContext) -> IProbe:
    """Build the probe that looks for what ``spec`` asks.

    Raises:
        ImportError: what this kind of probe needs is not installed.
    """
    module, _, name = KINDS[type(spec)].rpartition(".")
    probe: IProbe = getattr(import_module(module), name)(spec, context)
    return probe
