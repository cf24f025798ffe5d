"""Command line, environment, config and defaults become one: the first that says something wins."""

from __future__ import annotations

import os.path
import re
from collections.abc import Sequence
from typing import TypeVar

from procwrap.config.names import LONGEST, OWN_NAME
from procwrap.spec.plan import DEFAULT_SOCKET, Given, Plan, Settings
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
    deadlines = (argv.graceful_shutdown_deadline, env.graceful_shutdown_deadline, plan.deadline)
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
        socket=_socket(argv, env, plan, wrapped=wrapped),
        log_format=first(env.log_format, plan.log_format, default=default.log_format),
        labels=plan.labels,
        liveness=plan.liveness,
        reap_group=first(argv.reap_group, env.reap_group, default=default.reap_group),
    )


def wrapped_plan(command: Sequence[str]) -> Plan:
    """The plan for ``procwrap -- command args``: that command, once, and its end is the end."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", os.path.basename(command[0]))[:LONGEST].lstrip(".-")
    return Plan(
        processes=(
            ProcessSpec(
                name=name if name and name != OWN_NAME else "command",
                entrypoint=command[0],
                args=tuple(command[1:]),
                restart=Restart(policy=RestartPolicy.NEVER, main=True),
                wrapped=True,
            ),
        ),
        dialect="command",
    )


def _socket(argv: Given, env: Given, plan: Plan, *, wrapped: bool) -> str | None:
    served = first(argv.http, env.http, default=not wrapped or env.socket is not None)
    return first(env.socket, plan.socket, default=DEFAULT_SOCKET) if served else None


def first(*said: T | None, default: T) -> T:
    """The first that says something, else the default."""
    return next((value for value in said if value is not None), default)
