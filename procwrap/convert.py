"""``procwrap convert [FILE]``: prints a config of any dialect in the native one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO, TextIO

from procwrap.config import fileargument, find
from procwrap.config.load import load, translate
from procwrap.config.problem import ConfigError
from procwrap.config.writing import write
from procwrap.errors import ExitStatus, UsageError
from procwrap.spec.plan import Given

USAGE = """\
Usage: procwrap convert [--secrets-dir DIR] [FILE]

Prints a config in procwrap's native format: a Kubernetes manifest, a config of pidzero, or one that is native
already. FILE may be - for standard input; without it the config is taken from PROCWRAP_CONFIG (a path) or
CONFIG (the config itself). What it takes from the environment, secrets and config maps is written out, and
told on standard error, as are warnings and what is left out. Exit codes: 0 done, 2 the config is not good.
"""


def run(
    arguments: Sequence[str], environ: Mapping[str, str], stdin: BinaryIO, out: TextIO, err: TextIO
) -> int:
    """Convert a config.

    Args:
        arguments: what follows ``convert`` on the command line.
        environ: the environment.
        stdin: standard input.
        out: gets the native config.
        err: gets one line for each error, or for what somebody should know about the result.

    Returns:
        The exit code.
    """
    try:
        asked = fileargument.parse("convert", arguments)
        if asked.help:
            out.write(USAGE)
            return ExitStatus.DONE
        around = asked.surroundings(environ)
        text = find.read_config(Given(config=asked.file), environ, stdin)
        plan = load(text, (), around)
        native, problems = translate(text, around)
        if problems:
            raise ConfigError(text.source, problems)
    except UsageError as error:
        err.write(f"{error}\n")
        return error.exit_status
    with suppress(BrokenPipeError):
        # Piped into a program that has read enough.
        out.write(write(native.node))
    lines = [*plan.ignored, *(problem.line(text.source) for problem in native.resolved)]
    lines += [f"{text.source}: warning: {warning}" for warning in plan.warnings]
    err.writelines(f"{line}\n" for line in lines)
    return ExitStatus.DONE
