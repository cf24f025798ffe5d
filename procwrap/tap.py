"""``twistd procwrap``: the same options and the same host, as a Twisted service."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NoReturn

from twisted.application.service import Service
from twisted.logger import ILogObserver

from procwrap.app import Host, compose
from procwrap.cli import ask, ask_again, ask_for_locks, leave
from procwrap.config import arguments, variables
from procwrap.errors import ProcwrapError
from procwrap.prelude import prepare
from procwrap.spec.lockserving import LockServing
from procwrap.spec.plan import AskAgain, Plan, Settings


class Options:
    """What twistd wants of a plugin's options; the parsing is that of the command ``procwrap``."""

    parent: Any = None

    def __init__(self) -> None:
        self.arguments = arguments.Arguments()

    def parseOptions(self, options: Sequence[str]) -> None:
        """Parse what follows ``procwrap`` on twistd's command line."""
        try:
            self.arguments = arguments.parse(options)
        except ProcwrapError as error:
            _refuse(error)
        if self.arguments.help:
            sys.stdout.write(arguments.help_text())
            raise SystemExit(0)


class HostService(Service):
    """The host as a service of twistd."""

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        environ: dict[str, str],
        pid_file: str,
        again: AskAgain,
    ) -> None:
        from twisted.internet import reactor

        self._reactor: Any = reactor
        self._pid_file = pid_file
        self._prelude = prepare(plan, environ)
        self.host: Host = compose(plan, settings, self._prelude, reactor, self._finish, again)

    def setServiceParent(self, parent: Any) -> None:
        """Join the application, whose log becomes part of ours: stdout carries nothing but records."""
        if parent.getComponent(ILogObserver) is None:
            parent.setComponent(ILogObserver, self.host.log_observer)
        Service.setServiceParent(self, parent)

    def privilegedStartService(self) -> None:
        """Take the HTTP socket."""
        try:
            self.host.listen()
        except ProcwrapError as error:
            if self._pid_file:
                # twistd removes it only after an Exception, which it would print a traceback of.
                with suppress(OSError):
                    os.unlink(self._pid_file)
            _refuse(error)

    def startService(self) -> None:
        """Start everything as soon as the reactor runs and has installed its signal handlers."""
        Service.startService(self)
        # Only here: twistd may have forked since, and a child is no subreaper.
        self._prelude.adopt_orphans()
        self._reactor.callWhenRunning(self.host.start)

    def _finish(self, code: int) -> None:
        # twistd always exits with 0. This runs last, when it has removed its pid file.
        atexit.register(leave, code)
        self._reactor.stop()


class LockService(Service):
    """The lock server as a service of twistd, which ends it."""

    def __init__(self, asked: LockServing, settings: Settings) -> None:
        from twisted.internet import reactor

        from procwrap import lockserver

        self._asked = asked
        self._reactor: Any = reactor
        self._log = lockserver.make_log(settings, reactor)

    def setServiceParent(self, parent: Any) -> None:
        """Join the application, whose log becomes part of ours."""
        if parent.getComponent(ILogObserver) is None:
            parent.setComponent(ILogObserver, self._log.outputs.own)
        Service.setServiceParent(self, parent)

    def privilegedStartService(self) -> None:
        """Take the socket; twistd may have forked since this was built, so no thread may be older."""
        from procwrap import lockserver

        try:
            lockserver.prepare(self._asked, self._log, self._reactor)
        except ProcwrapError as error:
            _refuse(error)


def makeService(options: Options) -> HostService | LockService:
    """Build the service; twistd calls this."""
    environ = variables.environ()
    try:
        locks = ask_for_locks(options.arguments.given, environ)
        if locks is not None:
            return LockService(*locks)
        plan, settings = ask(options.arguments.given, environ)
    except ProcwrapError as error:
        _refuse(error)
    again = partial(ask_again, options.arguments.given, environ)
    return HostService(plan, settings, environ, (options.parent or {}).get("pidfile", ""), again)


def _refuse(error: ProcwrapError) -> NoReturn:
    # twistd has made sys.stderr a part of its log by the time this may be called.
    print(error, file=sys.__stderr__)
    raise SystemExit(error.exit_status)
