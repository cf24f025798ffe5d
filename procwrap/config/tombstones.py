"""What is asked about tombstones: ``tombstone`` and ``deathDeps`` of a process, and kubexit's variables."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from procwrap.config import readers, units
from procwrap.config.fields import Fields, Place
from procwrap.config.options import names
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted
from procwrap.errors import UsageError
from procwrap.spec.graves import Graves

DEFAULT_GRACE = 30.0
"""Seconds from the stop signal to SIGKILL, as kubexit has it."""

LONGEST = 200

NAME, GRAVEYARD = "KUBEXIT_NAME", "KUBEXIT_GRAVEYARD"
DEATH_DEPS, GRACE_PERIOD = "KUBEXIT_DEATH_DEPS", "KUBEXIT_GRACE_PERIOD"


def graves(fields: Fields, process: str) -> Graves | None:
    """Read what a process says about tombstones; its own has its name unless it says another."""
    default = Graves()
    own = fields.take("tombstone", lambda place: _tombstone(place, process), None)
    deps = fields.take("deathDeps", readers.list_of(_name), ())
    if own is None and not deps:
        return None
    return evolve(own or default, death_deps=tuple(deps))


def of_replica(asked: Graves | None, index: int) -> Graves | None:
    """Give each replica its own tombstone, ``api_0`` for ``api``."""
    if asked is None or not asked.name:
        return asked
    return evolve(asked, name=f"{asked.name}_{index}")


def from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    """Read kubexit's variables, for the attributes of ``Given``; an empty one says nothing.

    Raises:
        UsageError: a value is none; the message names the variable.
    """
    said = {name: environ.get(name, "").strip() for name in (NAME, GRAVEYARD, DEATH_DEPS, GRACE_PERIOD)}
    found: dict[str, object] = {}
    if said[NAME] or said[DEATH_DEPS]:
        deps = names(said[DEATH_DEPS])
        for variable, given in ((NAME, (said[NAME],) if said[NAME] else ()), (DEATH_DEPS, deps)):
            for name in given:
                _checked(variable, name)
        found["graves"] = Graves(said[GRAVEYARD] or Graves().graveyard, said[NAME], deps)
        found["kubexit_grace"] = _grace(said[GRACE_PERIOD])
    return found


def _grace(text: str) -> float:
    try:
        return units.duration(text) if text else DEFAULT_GRACE
    except WrongValueError as error:
        raise UsageError(f"{GRACE_PERIOD}: {error}") from None


def _checked(variable: str, name: str) -> None:
    try:
        _check(name)
    except WrongValueError as error:
        raise UsageError(f"{variable}: {error}") from None


def _tombstone(place: Place, process: str) -> Graves:
    fields = Fields(place)
    default = Graves()
    made = Graves(
        graveyard=fields.take("graveyard", readers.text, default.graveyard),
        name=fields.take("name", _name, process),
    )
    fields.finish()
    return made


def _name(place: Place) -> str:
    name = readers.text(place).strip()
    _check(name)
    return name


def _check(name: str) -> None:
    """Refuse what is not the name of a file in the graveyard, or one of those that are being written."""
    if not name or "/" in name or name.startswith(".") or not name.isprintable() or len(name) > LONGEST:
        raise WrongValueError(
            f"expected the name of a file in the graveyard, such as proxy (at most {LONGEST} characters), "
            f"got {quoted(name)}"
        )
