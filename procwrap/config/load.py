"""The way from a text to a Plan, stage by stage: read, recognise, build, check, expand."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from procwrap.config import reading
from procwrap.config.build import build
from procwrap.config.check import check
from procwrap.config.dialects import guess
from procwrap.config.expand import expand
from procwrap.config.fields import Place
from procwrap.config.problem import ConfigError, Problem, WrongValueError
from procwrap.config.reading import ConfigText
from procwrap.spec.plan import Plan


def load(text: ConfigText, skip: Sequence[str] = ()) -> Plan:
    """Make a plan of a config.

    Args:
        text: the config as it was found.
        skip: names of processes to leave out; one that is not in the config becomes a warning.

    Raises:
        ConfigError: with every problem of the config.
        UsageError: all processes are skipped.
    """
    root, problems = reading.read(text)
    try:
        dialect, native = guess.to_native(root)
    except WrongValueError as error:
        raise ConfigError(text.source, [*problems, Problem(root.mark, "", str(error))]) from None
    plan, drafts = build(Place(native, "", problems))
    warnings = check(drafts, skip)
    if problems:
        raise ConfigError(text.source, problems)
    return expand(evolve(plan, dialect=dialect, warnings=warnings), drafts, skip)
