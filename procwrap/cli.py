"""The command ``procwrap``: picks a mode, owns the reactor's run and the exit code."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from os import _exit as exit_now
from typing import TYPE_CHECKING, Any, NoReturn

from procwrap import __version__, subcommands
from procwrap.errors import ExitStatus, OrderRefusedError, ProcwrapError, UsageError

if TYPE_CHECKING:
    from procwrap.app import Host
    from procwrap.prelude import Prelude
    from procwrap.spec.lockserving import LockServing
    from procwrap.spec.plan import AskAgain, Given, Plan, Settings


def entry() -> NoReturn:
    """Be the console script."""
    from procwrap.config import variables

    _occupy_standard_descriptors()
    leave(run(sys.argv[1:], variables.environ()))


def _occupy_standard_descriptors() -> None:
    """Put /dev/null where our parent has closed 0, 1 or 2: else the next file opened would become stdout.

    A wrapped command gets them closed, as they were: what is opened here ends at execve(2).
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        continue
    os.close(descriptor)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def leave(code: int) -> NoReturn:
    """End the process at once: tearing the interpreter down would take another 100 ms."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Nobody reads it any more; the exit code still counts.
            continue
    exit_now(code)


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do what the command line asks for.

    Returns:
        The exit code.
    """
    try:
        if argv and argv[0] and not argv[0].startswith("-"):
            return subcommands.run(argv, environ)
        return _run_mode(argv, environ)
    except ProcwrapError as error:
        print(error, file=sys.stderr)
        return error.exit_status


def _run_mode(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    from procwrap.config import arguments, environment

    parsed = arguments.parse(argv)
    if parsed.help or parsed.given.version:
        text = arguments.help_text() if parsed.help else f"procwrap {__version__}\n"
        return subcommands.printing(lambda: _say(text))
    from_environment = environment.parse(environ)
    if parsed.given.wait or (parsed.given.wait is None and from_environment.wait):
        return _wait(parsed.given, from_environment)
    locks = ask_for_locks(parsed.given, environ)
    if locks is not None:
        return _serve_locks(*locks)
    return host(*ask(parsed.given, environ), environ, partial(ask_again, parsed.given, environ))


def _say(text: str) -> int:
    sys.stdout.write(text)
    return ExitStatus.DONE


def ask(argv: Given, environ: Mapping[str, str]) -> tuple[Plan, Settings]:
    """Find out what is asked for, from the command line, the environment and the config.

    Raises:
        UsageError: one of them asks for something that cannot be.
    """
    from procwrap.config import environment, find, load
    from procwrap.config import settings as merging
    from procwrap.config.secretsdir import surroundings

    env = environment.parse(environ)
    if argv.command:
        plan = merging.wrapped_plan(argv.command, env.graves, env.birth)
    else:
        skip = argv.skip_commands if argv.skip_commands is not None else env.skip_commands or ()
        around = surroundings(environ, argv.secrets_dir or env.secrets_dir)
        plan = load.load(find.read_config(argv, environ, sys.stdin.buffer), skip, around)
    settings = merging.resolve(argv, env, plan)
    if settings.profiling is not None:
        from procwrap.config.profiling import need_agent

        need_agent()
    if settings.quitting.kill_all:
        from procwrap.pod.pidspace import refuse_machine

        refuse_machine(os.getpid())
    return merging.with_permits(plan, settings), settings


def ask_again(argv: Given, environ: Mapping[str, str]) -> tuple[Plan, Settings]:
    """Find out what is asked for now that procwrap runs.

    Raises:
        UsageError: as ``ask`` does.
        OrderRefusedError: the config is one that cannot have changed.
    """
    from procwrap.config import find

    if (source := find.unchanging(argv, environ)) is not None:
        raise OrderRefusedError(f"the config came from {source}, which cannot be read again: use a file")
    return ask(argv, environ)


def _wait(argv: Given, env: Given) -> int:
    from procwrap.spec.plan import DEFAULT_READINESS_FILE, DEFAULT_WAIT_DEADLINE
    from procwrap.wait import wait_for

    path = argv.readiness_file or env.readiness_file or DEFAULT_READINESS_FILE
    said = [given.wait_deadline for given in (argv, env) if given.wait_deadline is not None]
    deadline = said[0] if said else DEFAULT_WAIT_DEADLINE
    if wait_for(path, deadline, time.sleep, time.monotonic):
        return ExitStatus.DONE
    print(f"not ready after {deadline:g}s: {path} does not exist", file=sys.stderr)
    return ExitStatus.CANNOT_START


def ask_for_locks(argv: Given, environ: Mapping[str, str]) -> tuple[LockServing, Settings] | None:
    """Find out what is asked of a lock server, and how it logs; None when none is asked for.

    Raises:
        UsageError: a setting is impossible.
    """
    from procwrap.config import environment

    env = environment.parse(environ)
    if not (env.shared_lock if argv.shared_lock is None else argv.shared_lock):
        return None
    from procwrap.config import lockserving, settings
    from procwrap.spec.plan import Plan

    if argv.command:
        raise UsageError("--shared-lock and a command after -- exclude each other")
    return lockserving.resolve(argv, env, environ), settings.resolve(argv, env, Plan(processes=()))


def _serve_locks(asked: LockServing, settings: Settings) -> int:
    from procwrap.tls import hide_pyopenssl

    if not (asked.socket.startswith(("ssl:", "tls:")) or (asked.etcd and asked.etcd.tls)):
        hide_pyopenssl()
    from twisted.internet import reactor

    from procwrap import lockserver

    log = lockserver.make_log(settings, reactor)
    log.begin()
    lockserver.prepare(asked, log, reactor)
    reactor.run()
    return ExitStatus.DONE


def host(plan: Plan, settings: Settings, environ: Mapping[str, str], again: AskAgain) -> int:
    """Run the processes of a plan to their end.

    Args:
        plan: what to run.
        settings: how.
        environ: that of procwrap.
        again: finds out what is asked for by then; blocks.

    Returns:
        The exit code.

    Raises:
        UsageError: a setting is impossible.
        CannotStartError: nothing was started, because the host cannot do its work.
    """
    from procwrap import prelude

    done = prelude.begin(plan, settings, environ)
    codes: list[int] = []
    try:
        built, reactor = _compose(plan, settings, done, again, codes.append)
        done.signals.hold_back()
    except BaseException:
        done.abandon()
        raise
    reactor.run()
    if (lost := built.loss()) is not None and sys.stderr and _takes_a_line(2):
        print(lost, file=sys.stderr)
    return codes[0] if codes else ExitStatus.CANNOT_START


def _compose(
    plan: Plan,
    settings: Settings,
    done: Prelude,
    again: AskAgain,
    ended: Callable[[int], None],
) -> tuple[Host, Any]:
    """Build the host, and the reactor that it begins to work with."""
    from procwrap.tls import hide_pyopenssl, needs_tls

    if not needs_tls(plan, settings):
        hide_pyopenssl()
    from twisted.internet import reactor

    from procwrap.app import compose

    def finish(code: int) -> None:
        ended(code)
        reactor.stop()

    built = compose(plan, settings, done, reactor, finish, again)
    built.begin_log()
    built.listen()
    reactor.callWhenRunning(built.start)
    return built, reactor


def _takes_a_line(fd: int) -> bool:
    """Return whether writing a line would not wait: stderr may be the very pipe that nobody reads."""
    taking = select.poll()
    taking.register(fd, select.POLLOUT)
    return bool(taking.poll(0))
