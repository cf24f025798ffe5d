"""The whole of a native config: a tree becomes a plan without processes, and their drafts."""

from __future__ import annotations

from attrs import frozen

from procwrap.config import controlling, names, readers
from procwrap.config.draft import Draft
from procwrap.config.eventing import Servers, events
from procwrap.config.fields import Fields, Place
from procwrap.config.node import Kind
from procwrap.config.processes import process
from procwrap.config.pushing import loki
from procwrap.spec.logs import LogFormat
from procwrap.spec.loki import Loki
from procwrap.spec.plan import LivenessRule, Plan
from procwrap.spec.probe import Pairs


@frozen
class _ReadinessFile:
    path: str | None = None
    follow: bool = False


@frozen
class _Logs:
    format: LogFormat | None = None
    labels: Pairs = ()
    loki: Loki | None = None


def build(root: Place) -> tuple[Plan, tuple[Draft, ...]]:
    """Read a config of the native dialect in its mapping form.

    Returns:
        The plan, whose processes are still missing, and their drafts. Both hold stand-ins wherever a
        problem was reported.
    """
    fields = Fields(root)
    drafts = fields.require("processes", _processes, ())
    served = fields.take("api", controlling.api, controlling.Api())
    logs = fields.take("logs", _logs, _Logs())
    deadline = fields.take("shutdown", _shutdown, None)
    readiness = fields.take("readinessFile", _readiness_file, _ReadinessFile())
    liveness = fields.take("health", _health, LivenessRule.HEALTHY)
    servers = fields.take("events", events, Servers())
    fields.finish()
    plan = Plan(
        processes=(),
        socket=served.socket,
        control=served.control,
        log_format=logs.format,
        labels=logs.labels,
        loki=logs.loki,
        deadline=deadline,
        readiness_file=readiness.path,
        readiness_follow=readiness.follow,
        liveness=liveness,
        events_udp=servers.udp,
        elasticsearch=servers.elasticsearch,
    )
    return plan, drafts


def _processes(place: Place) -> tuple[Draft, ...]:
    drafts = readers.list_of(process)(place)
    if not place.node.items:
        place.report("expected at least one process, got an empty list")
    return drafts


def _logs(place: Place) -> _Logs:
    fields = Fields(place)
    made = _Logs(
        format=fields.take("format", readers.log_format, None),
        labels=fields.take("labels", readers.pairs(names.check_label), ()),
        loki=fields.take("loki", loki, None),
    )
    fields.finish()
    return made


def _shutdown(place: Place) -> float | None:
    fields = Fields(place)
    deadline = fields.take("deadline", readers.duration(), None)
    fields.finish()
    return deadline


def _readiness_file(place: Place) -> _ReadinessFile:
    """A path, or ``{path, follow}``."""
    if place.node.kind is not Kind.MAPPING:
        return _ReadinessFile(readers.text(place))
    fields = Fields(place)
    made = _ReadinessFile(
        path=fields.take("path", readers.text, None),
        follow=fields.take("follow", readers.boolean, default=False),
    )
    fields.finish()
    return made


def _health(place: Place) -> LivenessRule:
    fields = Fields(place)
    rules = readers.choice(readers.words_of(LivenessRule))
    rule = fields.take("liveness", rules, LivenessRule.HEALTHY)
    fields.finish()
    return rule
