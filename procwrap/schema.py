"""``procwrap schema``: prints the JSON Schema of the native config, for editors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import TextIO

from procwrap.config.schema import schema
from procwrap.errors import ExitStatus, UsageError

USAGE = """\
Usage: procwrap schema

Prints the JSON Schema (2020-12) of procwrap's native config, with the probes of installed packages.
An editor that knows it completes and checks configs as they are written.
"""


def run(arguments: Sequence[str], out: TextIO) -> int:
    """Print the schema.

    Args:
        arguments: what follows ``schema`` on the command line.
        out: gets it.

    Returns:
        The exit code.

    Raises:
        UsageError: there are arguments.
    """
    if any(word.startswith("-") and word.lstrip("-") in ("h", "help") for word in arguments):
        out.write(USAGE)
        return ExitStatus.DONE
    if arguments:
        raise UsageError("procwrap schema takes nothing: it prints the schema on standard output")
    with suppress(BrokenPipeError):
        # Piped into a program that has read enough.
        out.write(json.dumps(schema(), indent=2) + "\n")
    return ExitStatus.DONE
