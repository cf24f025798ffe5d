"""``readiness``, ``liveness`` and ``startup``: when to look, and what the results mean."""

from __future__ import annotations

from attrs import frozen

from procwrap.config import dsnprobes, plugins, probes, readers
from procwrap.config.fields import Fields, Place, Reader
from procwrap.spec.probe import Check, Probe

SHORTEST_PERIOD = 0.01
"""Seconds; what repeats more often than this is a busy loop."""

_TYPES = "http, tcp, exec, file, env, sql, amqp, grpc, floatingPid, heartBeat, notify"
_COUNT = readers.whole_number(1, 1_000_000)


@frozen
class Timing:
    """The defaults of a kind of check, in seconds."""

    delay: float
    period: float


READINESS = Timing(delay=5.0, period=5.0)
KUBERNETES = Timing(delay=0.0, period=10.0)
"""Of liveness and startup: those of the Kubernetes probes they are modelled on."""


def check(timing: Timing) -> Reader[Check]:
    """A reader of a check with these defaults."""

    def read(place: Place) -> Check:
        reported = len(place.problems)
        fields = Fields(place)
        made = Check(
            delay=fields.take("delay", readers.duration(), timing.delay),
            period=fields.take("period", readers.duration(SHORTEST_PERIOD), timing.period),
            failure_threshold=fields.take("failureThreshold", _COUNT, 3),
            success_threshold=fields.take("successThreshold", _COUNT, 1),
            startup_deadline=fields.take("startupDeadline", readers.duration(), 0.0),
            restart_on_failure=fields.take("restartOnFailure", readers.boolean, default=True),
            probes=_probes(fields),
        )
        fields.finish()
        if not made.probes and len(place.problems) == reported:
            place.report(f"no probe: expected at least one of {_TYPES}")
        return made

    return read


def _probes(fields: Fields) -> tuple[Probe, ...]:
    found: tuple[Probe | None, ...] = (
        fields.take("http", probes.http, None),
        fields.take("tcp", probes.tcp, None),
        fields.take("exec", probes.execute, None),
        fields.take("file", probes.file, None),
        fields.take("env", probes.env, None),
        fields.take("floatingPid", probes.floating_pid, None, even_null=True),
        fields.take("heartBeat", probes.heart_beat, None),
        fields.take("sql", dsnprobes.sql, None, even_null=True),
        fields.take("amqp", dsnprobes.amqp, None, even_null=True),
        fields.take("grpc", probes.grpc, None),
        fields.take("notify", probes.notify, None, even_null=True),
    )
    return (*(probe for probe in found if probe is not None), *plugins.probes(fields))
