"""``readiness``, ``liveness`` and ``startup``: when to look, and what the results mean."""

from __future__ import annotations

from attrs import evolve, frozen

from procwrap.config import dsnprobes, locks, plugins, probes, readers
from procwrap.config.fields import Fields, Place, Reader
from procwrap.spec.probe import Check, LockProbe, Probe

SHORTEST_PERIOD = 0.01
"""Seconds; what repeats more often than this is a busy loop."""

_TYPES = "http, tcp, exec, file, env, sql, amqp, grpc, floatingPid, heartBeat, notify"
_COUNT = readers.whole_number(1, 1_000_000)


@frozen
class Timing:
    """The defaults of a kind of check, in seconds."""

    delay: float
    period: float
    may_have_lock: bool = False

    def of(self, probes: tuple[Probe, ...]) -> Timing:
        """Return the defaults for these probes; a lock is held from the beginning, and looked at often."""
        if len(probes) == 1 and isinstance(probes[0], LockProbe):
            return Timing(delay=0.0, period=max(SHORTEST_PERIOD, probes[0].ttl / 3))
        return self


READINESS = Timing(delay=5.0, period=5.0, may_have_lock=True)
KUBERNETES = Timing(delay=0.0, period=10.0)
"""Of liveness and startup: those of the Kubernetes probes they are modelled on."""


def check(timing: Timing) -> Reader[Check]:
    """A reader of a check with these defaults."""

    def read(place: Place) -> Check:
        reported = len(place.problems)
        fields = Fields(place)
        delay = fields.take("delay", readers.duration(), None)
        period = fields.take("period", readers.duration(SHORTEST_PERIOD), None)
        made = Check(
            failure_threshold=fields.take("failureThreshold", _COUNT, 3),
            success_threshold=fields.take("successThreshold", _COUNT, 1),
            startup_deadline=fields.take("startupDeadline", readers.duration(), 0.0),
            restart_on_failure=fields.take("restartOnFailure", readers.boolean, default=True),
            unhealthy_threshold=fields.take("unhealthyThreshold", _COUNT, 1),
            probes=_probes(fields, timing),
        )
        fields.finish()
        default = timing.of(made.probes)
        made = evolve(
            made,
            delay=default.delay if delay is None else delay,
            period=default.period if period is None else period,
        )
        if not made.probes and len(place.problems) == reported:
            lock = ", lock" if timing.may_have_lock else ""
            place.report(f"no probe: expected at least one of {_TYPES}{lock}")
        return made

    return read


def _probes(fields: Fields, timing: Timing) -> tuple[Probe, ...]:
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
        fields.take("lock", locks.lock if timing.may_have_lock else locks.misplaced, None, even_null=True),
    )
    return (*(probe for probe in found if probe is not None), *plugins.probes(fields))
