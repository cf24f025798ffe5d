"""Which containers have to be ready before a process starts: ``birthDeps``, and kubexit's variables."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import evolve

from procwrap.config import readers, units
from procwrap.config.fields import Fields, Place
from procwrap.config.options import names
from procwrap.config.problem import WrongValueError
from procwrap.core.printable import quoted
from procwrap.errors import UsageError
from procwrap.spec.pod import Birth

DEPS, TIMEOUT = "KUBEXIT_BIRTH_DEPS", "KUBEXIT_BIRTH_TIMEOUT"
SHORTEST = 0.001
"""Seconds; nothing is ready at once."""

_CONTAINER = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\Z")
"""A label of RFC 1123, which Kubernetes wants of the name of a container."""


def birth(fields: Fields) -> Birth | None:
    """Read what a process says about it."""
    deps = fields.take("birthDeps", readers.list_of(_container), ())
    timeout = fields.take("birthTimeout", readers.duration(SHORTEST), None)
    if not deps:
        return None
    asked = Birth(tuple(dict.fromkeys(deps)))
    return asked if timeout is None else evolve(asked, timeout=timeout)


def from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    """Read kubexit's variables, for the attributes of ``Given``; an empty one says nothing.

    Raises:
        UsageError: a value is none; the message names the variable.
    """
    deps = tuple(dict.fromkeys(names(environ.get(DEPS, ""))))
    if not deps:
        return {}
    try:
        variable = DEPS
        for name in deps:
            _check(name)
        variable = TIMEOUT
        return {"birth": _with_timeout(Birth(deps), environ.get(TIMEOUT, "").strip())}
    except WrongValueError as error:
        raise UsageError(f"{variable}: {error}") from None


def _with_timeout(asked: Birth, text: str) -> Birth:
    if not text:
        return asked
    seconds = units.duration(text)
    if seconds < SHORTEST:
        raise WrongValueError(f"expected at least 1ms, got {quoted(text)}")
    return evolve(asked, timeout=seconds)


def _container(place: Place) -> str:
    name = readers.text(place).strip()
    _check(name)
    return name


def _check(name: str) -> None:
    if not _CONTAINER.match(name):
        raise WrongValueError(f"expected the name of a container of this Pod, got {quoted(name)}")
