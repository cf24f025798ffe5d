"""What is different between two configs, and what follows from it for each process; nothing is done here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from procwrap.spec.graves import Graves
from procwrap.spec.plan import Settings
from procwrap.spec.pod import Birth
from procwrap.spec.probe import NotifyProbe
from procwrap.spec.process import ProcessSpec

Keys = tuple[str, ...]

_BORN_WITH: Mapping[str, str] = {
    "entrypoint": "entrypoint",
    "args": "args",
    "directory": "dir",
    "envs": "envs",
    "env_file": "envsFile",
    "attributes": "sysProcAttr",
    "graves.graveyard": "tombstone",
    "graves.name": "tombstone",
    "graves.death_deps": "deathDeps",
    "birth.containers": "birthDeps",
    "replica": "replicas",
    "lock": "readiness.lock",
}
"""What a process has from its beginning: attribute of its spec -> key of the config. It is started again."""

_ALIVE: Mapping[str, str] = {
    "labels": "labels",
    "log.format": "logFormat",
    "log.file": "logFile",
    "log.max_line_bytes": "maxLineBytes",
    "log.discard": "discardOutput",
    "restart.policy": "restartPolicy",
    "restart.backoff": "restartBackoff",
    "restart.limit": "maxRestarts",
    "restart.success_exit_codes": "successExitCodes",
    "restart.vital": "vital",
    "restart.main": "main",
    "restart.background": "background",
    "stop.signal": "stopSignal",
    "stop.timeout": "stopTimeout",
    "depends_on": "dependsOn",
    "readiness": "readiness",
    "liveness": "liveness",
    "startup": "startup",
    "post_start": "postStart",
    "pre_stop": "preStop",
    "birth.timeout": "birthTimeout",
    "memory_limit": "memoryLimitMB",
    "prom_target": "promTarget",
}
"""The same of what can be changed while it runs."""

NO_DIFFERENCE = frozenset({"name", "wrapped", "needs_permit"})
"""The rest of a spec: what follows from other attributes, or is the same in any two that are compared."""

CHECKS = frozenset({"readiness", "liveness", "startup"})
LOGGING = frozenset({"labels", "logFormat", "logFile", "maxLineBytes", "discardOutput"})


@frozen
class Difference:
    """What a new config asks for, compared with what is.

    Attributes:
        wanted: the processes as they are to be, in the order of the new config.
        added: names of the new ones.
        removed: names of those that are asked for no more.
        renewed: those that have to be started again, each with the keys that are different.
        adjusted: those that can go on, likewise.
    """

    wanted: Mapping[str, ProcessSpec]
    added: Keys = ()
    removed: Keys = ()
    renewed: Mapping[str, Keys] = field(factory=dict)
    adjusted: Mapping[str, Keys] = field(factory=dict)

    @property
    def unchanged(self) -> int:
        """How many go on as they are."""
        return len(self.wanted) - len(self.added) - len(self.renewed) - len(self.adjusted)


def compare(present: Mapping[str, ProcessSpec], wanted: Iterable[ProcessSpec]) -> Difference:
    """Compare what is with what is asked for."""
    by_name = {spec.name: spec for spec in wanted}
    renewed: dict[str, Keys] = {}
    adjusted: dict[str, Keys] = {}
    for name, after in by_name.items():
        before = present.get(name)
        if before is None or before == after:
            continue
        must_begin = _different(before, after, _BORN_WITH)
        alive = _different(before, after, _ALIVE)
        if must_begin or _notifies(before) != _notifies(after):
            renewed[name] = (*must_begin, *alive)
        elif alive:
            adjusted[name] = alive
    return Difference(
        by_name,
        tuple(name for name in by_name if name not in present),
        tuple(name for name in present if name not in by_name),
        renewed,
        adjusted,
    )


_NOTHING: Mapping[str, object] = {"graves": Graves(), "birth": Birth(())}
"""What it means to ask for none of these."""

SETTINGS: Mapping[str, str] = {
    "graceful_deadline": "shutdown.deadline",
    "readiness_file": "readinessFile",
    "readiness_follow": "readinessFile.follow",
    "socket": "api.socket",
    "control.token": "api.token",
    "control.token_file": "api.tokenFile",
    "control.tls": "api.tls",
    "log_format": "logs.format",
    "labels": "logs.labels",
    "liveness": "health.liveness",
    "events_udp": "events.udp",
    "elasticsearch": "events.elasticsearch",
    "loki": "logs.loki",
    "pod": "birthDeps",
}
"""What a config can change besides the processes: attribute of the settings -> key of the config."""


def beyond(before: Settings, after: Settings) -> Keys:
    """Return the keys besides the processes that are different, and so need procwrap to be started again."""
    keys = tuple(key for path, key in SETTINGS.items() if _of(before, path) != _of(after, path))
    if before.loki is None:
        # Those of the processes have theirs already, and procwrap's own records show none.
        return tuple(key for key in keys if key != "logs.labels")
    return keys


def _notifies(spec: ProcessSpec) -> frozenset[tuple[int | None, float | None]]:
    """Return how it can say how it is; it is told that when it begins."""
    checks = [check for check in (spec.startup, spec.readiness, spec.liveness) if check is not None]
    probes = [probe for check in checks for probe in check.probes]
    return frozenset((probe.fd, probe.watchdog) for probe in probes if isinstance(probe, NotifyProbe))


def _different(before: ProcessSpec, after: ProcessSpec, keys: Mapping[str, str]) -> Keys:
    different = (key for path, key in keys.items() if _of(before, path) != _of(after, path))
    return tuple(dict.fromkeys(different))


def _of(spec: Any, path: str) -> Any:
    for attribute in path.split("."):
        found = getattr(spec, attribute)
        spec = _NOTHING.get(attribute) if found is None else found
    return spec
