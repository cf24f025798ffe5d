"""What no single value shows: names given twice, needs that nobody meets, circles."""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Sequence

from procwrap.config.draft import Draft
from procwrap.config.fields import Place
from procwrap.config.node import Kind
from procwrap.core.order import CycleError, layers
from procwrap.spec.probe import NotifyProbe
from procwrap.spec.process import Condition, Dependency, RestartPolicy

MAX_PROCESSES = 20_000
MAX_NEEDS = 1_000_000
"""Each replica may need each replica of another process; the product is what has to be bounded."""


def check(drafts: Sequence[Draft], skipped: Sequence[str] = ()) -> tuple[str, ...]:
    """Report what is wrong between the processes, at their places.

    Args:
        drafts: every process of the config that could be read.
        skipped: names that are left out; a second main or a circle among them hurts nobody.

    Returns:
        Warnings, each one line.
    """
    named = [draft for draft in drafts if draft.spec.name]
    if not _few_enough(named):
        return ()
    _check_names(named)
    _check_log_files(named)
    _check_descriptors(named)
    owners = {name: draft for draft in reversed(named) for name in (*draft.instances, draft.spec.name)}
    kept = [draft for draft in named if draft.spec.name not in skipped]
    _check_needs(named, owners)
    _check_main(kept)
    _check_circles(kept, owners)
    return tuple(_endless_waits(kept, owners))


def _needs_with_places(draft: Draft) -> Iterator[tuple[Dependency, Place]]:
    """Each dependency with the place of the name it needs; what could not be read has no dependency."""
    items = draft.place.value("dependsOn").items()
    places = iter([item.value("name") if item.node.kind is Kind.MAPPING else item for item in items])
    for need in (need for need in draft.spec.depends_on if need.name):
        yield need, next((place for place in places if place.node.text == need.name), draft.place)


def _few_enough(drafts: Sequence[Draft]) -> bool:
    sizes = {draft.spec.name: draft.replicas or 1 for draft in drafts}
    total = needs = 0
    for draft in drafts:
        total += draft.replicas or 1
        needs += (draft.replicas or 1) * sum(sizes.get(need.name, 1) for need in draft.spec.depends_on)
        if total > MAX_PROCESSES:
            draft.place.value("replicas").report(f"more than {MAX_PROCESSES:,} processes with all replicas")
            return False
        if needs > MAX_NEEDS:
            message = f"more than {MAX_NEEDS:,} dependencies, each replica on each: name single replicas"
            draft.place.value("dependsOn").report(message)
            return False
    return True


def _check_names(drafts: Sequence[Draft]) -> None:
    owners: dict[str, Draft] = {}
    for draft in drafts:
        for name in dict.fromkeys((*draft.instances, draft.spec.name)):
            first = owners.setdefault(name, draft)
            if first is draft:
                continue
            line = first.place.value("name").node.mark.line
            which = "the name" if name == draft.spec.name == first.spec.name else f"the replica's name {name}"
            draft.place.value("name").report(f"{which} is already taken in line {line}: names are unique")
            break


def _check_log_files(drafts: Sequence[Draft]) -> None:
    owners: dict[str, Draft] = {}
    for draft in drafts:
        if draft.spec.log.file is None or not draft.spec.log.file.path:
            continue
        path = os.path.normpath(draft.spec.log.file.path)
        first = owners.setdefault(path, draft)
        if first is not draft:
            place = draft.place.value("logFile").value("path")
            place.report(f"this is also the log file of {first.spec.name}: each process needs its own")


def _check_descriptors(drafts: Sequence[Draft]) -> None:
    for draft in drafts:
        found = list(_descriptors(draft))
        for key, number in found[1:]:
            first, taken = found[0]
            if number != taken:
                place = draft.place.value(key).value("notify").value("fd")
                place.report(f"{first} has {taken}: a process says on one descriptor that it is ready")


def _descriptors(draft: Draft) -> Iterator[tuple[str, int]]:
    spec = draft.spec
    for key, check in (("startup", spec.startup), ("readiness", spec.readiness), ("liveness", spec.liveness)):
        for probe in check.probes if check is not None else ():
            if isinstance(probe, NotifyProbe) and probe.fd is not None:
                yield key, probe.fd


def _check_needs(drafts: Sequence[Draft], owners: dict[str, Draft]) -> None:
    bases = [draft.spec.name for draft in drafts]
    for draft in drafts:
        met: set[str] = set()
        for need, place in _needs_with_places(draft):
            owner = owners.get(need.name)
            if owner is None:
                near = place.nearest(need.name, (name for name in bases if name != draft.spec.name))
                place.report("there is no process of this name" + (f": did you mean {near}?" if near else ""))
            elif owner is draft:
                place.report("a process cannot depend on itself")
            elif need.name in met:
                place.report("given twice: keep one of them")
            met.add(need.name)


def _check_main(drafts: Sequence[Draft]) -> None:
    mains = [draft for draft in drafts if draft.spec.restart.main]
    for draft in mains[1:]:
        draft.place.value("main").report(f"{mains[0].spec.name} is main already: at most one process can be")
    for draft in mains[:1]:
        if (draft.replicas or 1) > 1:
            draft.place.value("main").report(
                "at most one process can be main: it cannot have several replicas"
            )


def _check_circles(drafts: Sequence[Draft], owners: dict[str, Draft]) -> None:
    edges: dict[str, list[str]] = {draft.spec.name: [] for draft in drafts}
    for name, needed in edges.items():
        for need in owners[name].spec.depends_on:
            owner = owners[need.name].spec.name if need.name in owners else name
            if owner != name and owner in edges:
                needed.append(owner)
    try:
        layers(edges)
    except CycleError as error:
        place = owners[error.cycle[0]].place.value("dependsOn")
        place.report("processes wait for each other in a circle: " + " -> ".join(error.cycle))


def _endless_waits(drafts: Sequence[Draft], owners: dict[str, Draft]) -> list[str]:
    found = []
    for draft in drafts:
        for need in draft.spec.depends_on:
            owner = owners.get(need.name)
            always = owner is not None and owner.spec.restart.policy is RestartPolicy.ALWAYS
            if need.condition is Condition.COMPLETED and always:
                found.append(
                    f"{draft.spec.name} waits for {need.name} to complete, but its restartPolicy is always: "
                    "it may never do so"
                )
    return found
