"""The way from a text to a Plan, stage by stage: read, recognise, build, check, expand."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from procwrap.config import reading
from procwrap.config.build import build
from procwrap.config.check import check
from procwrap.config.dialects import guess
from procwrap.config.dialects.translation import Native
from procwrap.config.expand import expand
from procwrap.config.fields import Place
from procwrap.config.problem import ConfigError, Problem, WrongValueError
from procwrap.config.reading import ConfigText
from procwrap.config.surroundings import Surroundings
from procwrap.spec.plan import Plan

NOWHERE = Surroundings()


def load(text: ConfigText, skip: Sequence[str] = (), surroundings: Surroundings = NOWHERE) -> Plan:
    """Make a plan of a config.

    Args:
        text: the config as it was found.
        skip: names of processes to leave out; one that is not in the config becomes a warning.
        surroundings: what the config may refer to.

    Raises:
        ConfigError: with every problem of the config.
        UsageError: all processes are skipped.
    """
    native, problems = translate(text, surroundings)
    plan, drafts = build(Place(native.node, "", problems))
    warnings = check(drafts, skip)
    if problems:
        raise ConfigError(text.source, problems)
    found = evolve(
        plan,
        dialect=native.dialect,
        warnings=(*native.warnings, *warnings),
        ignored=tuple(problem.line(text.source) for problem in native.ignored),
    )
    return expand(found, drafts, skip)


def translate(text: ConfigText, surroundings: Surroundings) -> tuple[Native, list[Problem]]:
    """Read a config and bring it into the native form.

    Returns:
        That form, and what is wrong with it so far.

    Raises:
        ConfigError: it cannot be read at all, or is no config of any dialect.
    """
    documents, problems = reading.read(text)
    try:
        return guess.to_native(documents, problems, surroundings), problems
    except WrongValueError as error:
        raise ConfigError(text.source, [*problems, Problem(documents[0].mark, "", str(error))]) from None
