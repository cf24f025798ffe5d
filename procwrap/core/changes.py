"""What a reload of the config has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen


@frozen
class Changes:
    """The difference between two configs, and what came of it; names are those of processes.

    Attributes:
        added: started now.
        removed: stopped, and forgotten.
        restarted: with the keys of the config for which it had to be started again.
        adjusted: with the keys that took effect in the running process: probes, labels, limits.
        unchanged: how many processes go on as they were.
        needs_restart: keys outside the processes that take effect when procwrap itself is started again.
        failed: those of the added and restarted that did not come up, with the reason.
        warnings: what is allowed but worth saying about the new config, each one line.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    restarted: Mapping[str, tuple[str, ...]] = field(factory=dict)
    adjusted: Mapping[str, tuple[str, ...]] = field(factory=dict)
    unchanged: int = 0
    needs_restart: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(factory=dict)
    warnings: tuple[str, ...] = ()


MOST_NAMED = 20
"""Names of processes in one line; the rest is only counted."""


def summary(changes: Changes) -> str:
    """Say the difference in one line: ``1 restarted (api: args), 2 added (a, b), 97 unchanged``."""
    parts = [
        _part("restarted", _with_keys(changes.restarted)),
        _part("added", changes.added),
        _part("removed", changes.removed),
        _part("adjusted", _with_keys(changes.adjusted)),
        f"{changes.unchanged} unchanged",
    ]
    return ", ".join(part for part in parts if part)


def _with_keys(changed: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(f"{name}: {' '.join(keys)}" for name, keys in changed.items())


def _part(what: str, named: Iterable[str]) -> str:
    found = tuple(named)
    if not found:
        return ""
    more = f", and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"{len(found)} {what} ({', '.join(found[:MOST_NAMED])}{more})"
