"""Command line, environment, config and defaults become one: the first that says something wins."""

from __future__ import annotations

import os.path
import re
from collections.abc import Sequence
from typing import TypeVar

from attrs import evolve

from procwrap.config import controlling, draining, eventing, incluster, pushing
from procwrap.config.names import LONGEST, OWN_NAME
from procwrap.spec.graves import Graves
from procwrap.spec.plan import DEFAULT_SOCKET, Given, MergeSettings, Plan, Settings
from procwrap.spec.pod import Birth
from procwrap.spec.process import ProcessSpec, Restart, RestartPolicy

T = TypeVar("T")


def resolve(argv: Given, env: Given, plan: Plan) -> Settings:
    """Merge what every source says.

    Args:
        argv: what the command line says; its command, if any, is what the plan wraps.
        env: what the environment says.
        plan: what the config says.
    """
    default = Settings()
    wrapped = bool(argv.command)
    socket = _socket(argv, env, plan, wrapped=wrapped)
    deadlines = (
        argv.graceful_shutdown_deadline,
        env.graceful_shutdown_deadline,
        env.kubexit_grace if wrapped else plan.deadline,
    )
    return Settings(
        debug=first(argv.debug, env.debug, default=default.debug),
        graceful_deadline=first(*deadlines, default=None if wrapped else default.graceful_deadline),
        readiness_file=first(
            argv.readiness_file,
            env.readiness_file,
            plan.readiness_file,
            default=None if wrapped else default.readiness_file,
        ),
        readiness_follow=plan.readiness_follow,
        socket=socket,
        control=controlling.control(argv, env, plan, served=socket is not None),
        log_format=first(env.log_format, plan.log_format, default=default.log_format),
        labels=plan.labels,
        liveness=plan.liveness,
        reap_group=first(argv.reap_group, env.reap_group, default=default.reap_group),
        prommerge=_prommerge(argv, env, default.prommerge),
        events_udp=eventing.udp_server(env, plan),
        elasticsearch=eventing.elasticsearch(env, plan),
        event_labels=eventing.labels(env),
        loki=pushing.loki_server(env, plan),
        profiling=argv.profiling or env.profiling,
        preemption=env.preemption,
        envoy=draining.envoy(argv, env),
        quitting=draining.quitting(argv, env),
        pod=incluster.own_pod(argv, env, plan),
        shared_lock_url=first(argv.shared_lock_url, env.shared_lock_url, default=default.shared_lock_url),
    )


def with_permits(plan: Plan, settings: Settings) -> Plan:
    """Hold back the processes that may not start before somebody outside agrees."""
    waits = settings.pod is not None and settings.pod.wait_sidecars
    everybody = settings.envoy.wait is not None or waits
    held = tuple(
        evolve(spec, needs_permit=True) if everybody or spec.birth is not None else spec
        for spec in plan.processes
    )
    return evolve(plan, processes=held)


def wrapped_plan(command: Sequence[str], graves: Graves | None = None, birth: Birth | None = None) -> Plan:
    """The plan for ``procwrap -- command args``: that command, once, and its end is the end."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(command[0]))[:LONGEST].lstrip(".-")
    return Plan(
        processes=(
            ProcessSpec(
                name=name if name and name != OWN_NAME else "command",
                entrypoint=command[0],
                args=tuple(command[1:]),
                restart=Restart(policy=RestartPolicy.NEVER, main=True),
                graves=graves,
                birth=birth,
                wrapped=True,
            ),
        ),
        dialect="command",
    )


def _prommerge(argv: Given, env: Given, default: MergeSettings) -> MergeSettings:
    return MergeSettings(
        empty_on_failure=first(
            argv.prommerge_empty_on_failure, env.prommerge_empty_on_failure, default=default.empty_on_failure
        ),
        concurrent=first(argv.prommerge_async, env.prommerge_async, default=default.concurrent),
        sort=first(argv.prommerge_sort, env.prommerge_sort, default=default.sort),
        omit_meta=first(argv.prommerge_omit_meta, env.prommerge_omit_meta, default=default.omit_meta),
        suppress_errors=first(
            argv.prommerge_suppress_errors, env.prommerge_suppress_errors, default=default.suppress_errors
        ),
    )


def _socket(argv: Given, env: Given, plan: Plan, *, wrapped: bool) -> str | None:
    served = first(argv.http, env.http, default=not wrapped or env.socket is not None)
    return first(env.socket, plan.socket, default=DEFAULT_SOCKET) if served else None


def first(*said: T | None, default: T) -> T:
    """The first that says something, else the default."""
    return next((value for value in said if value is not None), default)
