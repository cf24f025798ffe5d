"""``procwrap check [FILE]``: says what is wrong with a config, all of it at once, and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import BinaryIO, TextIO

from procwrap.config import fileargument, find
from procwrap.config.load import load
from procwrap.core.printable import printable
from procwrap.errors import ExitStatus, UsageError
from procwrap.spec.plan import Given, Plan

USAGE = """\
Usage: procwrap check [--secrets-dir DIR] [FILE]

Checks a config and runs nothing. It says which dialect the config is written in, and what of it has no
meaning here. FILE may be - for standard input; without it the config is taken from PROCWRAP_CONFIG (a path)
or CONFIG (the config itself). Exit codes: 0 it is good, 2 it is not.
"""


def run(
    arguments: Sequence[str], environ: Mapping[str, str], stdin: BinaryIO, out: TextIO, err: TextIO
) -> int:
    """Check a config.

    Args:
        arguments: what follows ``check`` on the command line.
        environ: the environment.
        stdin: standard input.
        out: gets one line about a good config, and one for each warning and for each key that is ignored.
        err: gets one line for each error.

    Returns:
        The exit code.
    """
    try:
        asked = fileargument.parse("check", arguments)
        if asked.help:
            out.write(USAGE)
            return ExitStatus.DONE
        around = asked.surroundings(environ)
        text = find.read_config(Given(config=asked.file), environ, stdin)
        plan = load(text, (), around)
    except UsageError as error:
        err.write(f"{error}\n")
        return error.exit_status
    out.writelines(f"{printable(text.source)}: {line}\n" for line in _report(plan))
    out.writelines(f"{line}\n" for line in plan.ignored)
    return ExitStatus.DONE


def _report(plan: Plan) -> list[str]:
    number = len(plan.processes)
    good = f"good: {plan.dialect} config, {number} process{'' if number == 1 else 'es'}"
    return [good, *(f"warning: {warning}" for warning in plan.warnings)]
