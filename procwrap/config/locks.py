"""The ``lock`` of a check, and where its server is."""

from __future__ import annotations

from attrs import evolve

from procwrap.config import readers
from procwrap.config.fields import Fields, Place
from procwrap.config.problem import WrongValueError
from procwrap.spec.lock import DEFAULT_TTL, DEFAULT_URL, LockSpec
from procwrap.spec.probe import LockProbe
from procwrap.spec.process import ProcessSpec

SHORTEST_TTL = 0.1
LONGEST_TTL = 24 * 3600.0


def lock(place: Place) -> LockProbe:
    """``lock``, which may be left empty."""
    fields = Fields(place, null_is_empty=True)
    made = LockProbe(fields.take("ttlDuration", _ttl, DEFAULT_TTL))
    fields.finish()
    return made


def misplaced(place: Place) -> None:
    """``lock`` where it does not belong.

    Raises:
        WrongValueError: always.
    """
    raise WrongValueError("a lock stands in readiness: it is taken before the process starts, and kept")


def permitted(spec: ProcessSpec) -> ProcessSpec:
    """Return a process that has to have its lock before it starts, if it has one."""
    probes = spec.readiness.probes if spec.readiness is not None else ()
    found = next((probe for probe in probes if isinstance(probe, LockProbe)), None)
    if found is None:
        return spec
    return evolve(spec, lock=LockSpec(found.ttl), needs_permit=True)


def server_url(text: str) -> str:
    """Read the URL of the lock server; a user and password may stand in it."""
    # 3 ms that only those pay who name their server.
    from procwrap.config.weburl import server_url

    return server_url(text, DEFAULT_URL)


def _ttl(place: Place) -> float:
    seconds = readers.duration(SHORTEST_TTL)(place)
    if seconds > LONGEST_TTL:
        raise WrongValueError(f"expected at most 24h, got {readers.shown(place.node)}")
    return seconds
