"""What ``procwrap`` does when its first word is no option: a table of subcommands."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence

from procwrap.errors import ExitStatus, ProcwrapError, UsageError


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do what a subcommand asks for.

    Args:
        argv: its name, and what follows.
        environ: the environment.

    Returns:
        The exit code.

    Raises:
        UsageError: there is no such subcommand, or it is asked for what cannot be.
        ProcwrapError: as for ``printing``.
    """
    subcommand = SUBCOMMANDS.get(argv[0])
    if subcommand is None:
        raise UsageError(_no_command(argv[0]))
    return printing(lambda: subcommand(argv, environ))


def printing(say: Callable[[], int]) -> int:
    """Do something that prints; what it prints is on its way when this returns.

    Returns:
        Its exit code, as far as it got.

    Raises:
        ProcwrapError: stdout does not take it, as on a disk that is full.
    """
    code: int = ExitStatus.DONE
    try:
        code = say()
        sys.stdout.flush()
    except BrokenPipeError:
        # Piped into a program that has read enough.
        return code
    except OSError as error:
        raise ProcwrapError(f"cannot write to stdout: {error.strerror or error}") from None
    return code


def _check(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    from procwrap import check

    return check.run(argv[1:], environ, sys.stdin.buffer, sys.stdout, sys.stderr)


def _convert(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    from procwrap import convert

    return convert.run(argv[1:], environ, sys.stdin.buffer, sys.stdout, sys.stderr)


def _schema(argv: Sequence[str], _: Mapping[str, str]) -> int:
    from procwrap import schema

    return schema.run(argv[1:], sys.stdout)


def _events(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    if not any(word.lstrip("-").startswith("listen-udp") for word in argv[1:] if word.startswith("-")):
        return _client(argv, environ)
    from procwrap import collector

    return collector.run(argv[1:], sys.stdout, time.time)


def _client(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    try:
        from procwrap.client import shell
        from procwrap.client.call import Clock

        clock = Clock(time.monotonic, time.time, time.sleep)
        return shell.run(argv[0], argv[1:], environ, sys.stdout, sys.stderr, clock)
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED


_CLIENT = ("status", "start", "stop", "restart", "signal", "logs", "reload", "wait", "completion", "__names")

SUBCOMMANDS: Mapping[str, Callable[[Sequence[str], Mapping[str, str]], int]] = {
    "check": _check,
    "convert": _convert,
    "schema": _schema,
    "events": _events,
    **dict.fromkeys(_CLIENT, _client),
}
"""What the first word may be, but for options."""


def _no_command(word: str) -> str:
    from procwrap.config.fields import nearest
    from procwrap.core.printable import quoted

    near = nearest(word, [name for name in SUBCOMMANDS if not name.startswith("_")])
    advice = f"did you mean {near}?" if near else "a command to wrap stands after --; see procwrap --help"
    return f"unknown command {quoted(word)}: {advice}"
