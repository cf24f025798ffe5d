"""Which class looks for which kind of probe; its module is imported when the first such probe is built."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from twisted.internet.defer import Deferred

from procwrap.interfaces import IProbe
from procwrap.probes.context import ProbeContext
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

KINDS: Mapping[type, str] = {
    HttpProbe: "procwrap.probes.http.Http",
    TcpProbe: "procwrap.probes.tcp.Tcp",
    ExecProbe: "procwrap.probes.exec.Exec",
    FileProbe: "procwrap.probes.file.File",
    EnvProbe: "procwrap.probes.env.Env",
    FloatingPidProbe: "procwrap.probes.floatingpid.FloatingPid",
    HeartBeatProbe: "procwrap.probes.heartbeat.HeartBeat",
    SqlProbe: "procwrap.probes.sql.Sql",
    AmqpProbe: "procwrap.probes.amqp.Amqp",
    GrpcProbe: "procwrap.probes.grpc.Grpc",
    NotifyProbe: "procwrap.probes.notify.Notify",
    LockProbe: "procwrap.probes.lock.Lock",
    PluginProbe: "procwrap.probes.plugin.Plugin",
}
"""Spec class to the dotted name of a class that is called with the spec and a ProbeContext."""

INSTALLED_BY: Mapping[str, str] = {
    "h2": "'procwrap[grpc]'",
    "OpenSSL": "'twisted[tls]'",
    "psycopg2": "psycopg2-binary",
    "pymysql": "'procwrap[mysql]'",
}
"""Foreign package to what pip is told to install, where that is not the package's own name."""


class MissingPackageError(ImportError):
    """A package that a probe needs is not installed; the message says which, and how to get it."""


def build(spec: Probe, context: ProbeContext) -> IProbe:
    """Build the probe that looks for what ``spec`` asks.

    Raises:
        ImportError: what this kind of probe needs is not installed; the message says what to do.
    """
    module, _, name = KINDS[type(spec)].rpartition(".")
    try:
        probe: IProbe = getattr(import_module(module), name)(spec, context)
    except ModuleNotFoundError as error:
        raise missing(module.rpartition(".")[2], error) from None
    return probe


def build_aside(spec: Probe, context: ProbeContext) -> Deferred[IProbe]:
    """Build a probe without holding the reactor up: what is not imported yet is imported in a thread.

    Returns:
        A Deferred of the probe; fails as build() does.
    """
    module = KINDS[type(spec)].rpartition(".")[0]
    return context.asides.load(module).addCallback(lambda _: build(spec, context))


def missing(who: str, error: ModuleNotFoundError) -> ImportError:
    """Turn the error of an import into one that says what to install.

    Args:
        who: who needs it, such as ``grpc``.
        error: what the import raised.

    Returns:
        The error itself when it is a module of procwrap that is missing, which no pip mends.
    """
    package = (error.name or "").partition(".")[0]
    if package in ("", "procwrap"):
        return error
    install = INSTALLED_BY.get(package, package)
    return MissingPackageError(f"{who} needs {package}: pip install {install}", name=package)
