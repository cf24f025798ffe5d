"""The way into the subcommands: words in, an exit code out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TextIO

from procwrap.client import target as targets
from procwrap.client.call import Call, Clock
from procwrap.client.commands import COMMANDS, LOCAL, usage
from procwrap.client.host import PATIENCE, Host
from procwrap.client.screen import Screen
from procwrap.client.words import parse
from procwrap.errors import ExitStatus, ProcwrapError

HASTE = 2.0
"""Seconds that somebody who has pressed the tab key waits."""

MODULES = {
    "status": "status",
    "start": "orders",
    "stop": "orders",
    "restart": "orders",
    "signal": "orders",
    "logs": "logs",
    "events": "events",
    "reload": "reload",
    "wait": "wait",
    "completion": "completion",
    "__names": "names",
}
"""The module of each subcommand; only that one is imported."""


def run(
    name: str, words: Sequence[str], environ: Mapping[str, str], out: TextIO, err: TextIO, clock: Clock
) -> int:
    """Do what a subcommand asks for.

    Args:
        name: of the subcommand.
        words: what follows it.
        environ: the environment.
        out: gets what was asked for.
        err: gets what else is to be said.
        clock: where time comes from.

    Returns:
        The exit code.

    Raises:
        UsageError: the words ask for something that cannot be.
    """
    command = COMMANDS[name]
    asked = parse(command, words)
    if asked.help:
        out.write(usage(command))
        return ExitStatus.DONE
    screen = Screen(out, err, environ)
    if name in LOCAL:
        from procwrap.client import completion

        return completion.run(asked, screen)
    target = targets.find(asked, environ)
    if target.tells_the_token:
        screen.say(
            f"warning: the token travels to {target.name} readable for everybody in between: use https://"
        )
    return _over(
        screen,
        name,
        Call(asked, Host(target, clock.now, HASTE if name == "__names" else PATIENCE), screen, clock),
    )


def _over(screen: Screen, name: str, call: Call) -> int:
    module = import_module(f"procwrap.client.{MODULES[name]}")
    try:
        code: int = module.run(call)
    except ProcwrapError as error:
        for line in str(error).split("\n"):
            screen.say(line)
        return error.exit_status
    return code
