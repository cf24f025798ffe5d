"""Replicas are multiplied, skipped processes left out, and the labels of all given to each."""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence

from attrs import evolve

from procwrap.config import tombstones
from procwrap.config.draft import Draft
from procwrap.core.printable import printable
from procwrap.errors import UsageError
from procwrap.spec.logs import LogSpec
from procwrap.spec.plan import Plan
from procwrap.spec.process import Dependency, ProcessSpec

REPLICA = "PROCWRAP_REPLICA"


def expand(plan: Plan, drafts: Sequence[Draft], skip: Sequence[str] = ()) -> Plan:
    """Fill in the processes of a plan.

    Args:
        plan: everything but the processes.
        drafts: the processes, checked.
        skip: names to leave out; that of a replicated process means all its replicas.

    Raises:
        UsageError: nothing is left to run.
    """
    instances = {draft.spec.name: draft.instances for draft in drafts}
    known = {name for draft in drafts for name in (draft.spec.name, *draft.instances)}
    left_out = {name for given in skip for name in instances.get(given, (given,))}
    processes: list[ProcessSpec] = []
    for draft in drafts:
        needs = _needs(draft.spec.depends_on, instances, left_out)
        base = evolve(
            draft.spec,
            depends_on=needs,
            labels=tuple({**dict(plan.labels), **dict(draft.spec.labels)}.items()),
        )
        processes += _replicas(base, draft)
    kept = tuple(process for process in processes if process.name not in left_out)
    if not kept:
        raise UsageError("every process of the config is skipped: nothing is left to run")
    skipped = tuple(process.name for process in processes if process.name in left_out)
    unknown = [
        f"cannot skip {printable(name)}: no process of the config has this name"
        for name in skip
        if name not in known
    ]
    return evolve(plan, processes=kept, skipped=skipped, warnings=(*plan.warnings, *unknown))


def _needs(
    needs: Sequence[Dependency], instances: Mapping[str, Sequence[str]], left_out: set[str]
) -> tuple[Dependency, ...]:
    return tuple(
        Dependency(name, need.condition)
        for need in needs
        for name in instances.get(need.name, (need.name,))
        if name not in left_out
    )


def _replicas(base: ProcessSpec, draft: Draft) -> list[ProcessSpec]:
    if draft.replicas is None:
        return [base]
    return [_replica(base, name, index) for index, name in enumerate(draft.instances)]


def _replica(base: ProcessSpec, name: str, index: int) -> ProcessSpec:
    envs = (*(pair for pair in base.envs if pair[0] != REPLICA), (REPLICA, str(index)))
    return evolve(
        base,
        name=name,
        replica=index,
        envs=envs,
        log=_own_file(base.log, index),
        graves=tombstones.of_replica(base.graves, index),
    )


def _own_file(log: LogSpec, index: int) -> LogSpec:
    """``api.log`` becomes ``api_0.log``: two writers would rotate each other's file away."""
    if log.file is None:
        return log
    stem, extension = os.path.splitext(log.file.path)
    return evolve(log, file=evolve(log.file, path=f"{stem}_{index}{extension}"))
