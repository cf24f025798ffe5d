"""Part of the composition root: what can be done before Twisted is imported, because it cannot wait.

Importing the reactor takes longer than everything else before the first process runs. So signals are caught,
the socket of HTTP is taken and the processes that need no other are started first. Nothing that is imported
here may import Twisted.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from attrs import evolve, field, frozen

from procwrap.children import terminal
from procwrap.children.group import send_to_group
from procwrap.children.launcher import HeadStart, Launcher
from procwrap.children.signalpipe import HOST, WRAPPER, SignalPipe
from procwrap.config import environment, find
from procwrap.spec.plan import Plan, Settings
from procwrap.web.controlsocket import ControlSocket, open_control
from procwrap.web.early import open_early

HEAD_START = 0.2
"""Seconds for which processes are started before the reactor is imported; the rest follows in slices."""


@frozen
class Prelude:
    """What was done before.

    Attributes:
        lends_terminal: the wrapped command gets the terminal, for as long as it runs.
        listener: the socket of HTTP, or None when there is none yet.
        control: the control socket, where one was asked for.
        warnings: what did not work and can be lived with, one line each.
    """

    signals: SignalPipe
    launcher: Launcher
    head_start: HeadStart
    lends_terminal: bool = False
    listener: Any = None
    control: ControlSocket | None = None
    warnings: list[str] = field(factory=list)

    def adopt_orphans(self) -> None:
        """Become the subreaper (prctl(2)) of all descendants, unless we are PID 1 anyway."""
        if os.getpid() == 1:
            return
        from procwrap.children import prctl

        try:
            prctl.prctl(prctl.SET_CHILD_SUBREAPER, 1)
        except OSError as error:
            self.warnings.append(f"cannot become the subreaper: {error.strerror}; orphans go to PID 1")

    def abandon(self) -> None:
        """Leave nothing behind when the host cannot be built after all."""
        self.head_start.abandon(lambda pid: send_to_group(pid, signal.SIGKILL))
        if self.control is not None:
            self.control.remove()
        self.launcher.close()

    def clean_up(self) -> None:
        """Leave nothing in the file system, and give the terminal back.

        We become its foreground group again: whoever started us goes on reading from it.
        """
        self.launcher.close()
        if self.lends_terminal:
            with suppress(OSError):  # it was hung up
                terminal.take()


def prepare(plan: Plan, environ: Mapping[str, str]) -> Prelude:
    """Get everything ready that does not need the reactor; nothing is started."""
    wrapped = any(spec.wrapped for spec in plan.processes)
    # Who runs as a child shall not control all the others.
    inherited = {name: value for name, value in environ.items() if name != environment.API_TOKEN}
    launcher = Launcher(inherited, find.read_env_file, time.monotonic)
    return Prelude(
        SignalPipe(WRAPPER if wrapped else HOST),
        launcher,
        HeadStart(launcher, time.monotonic),
        lends_terminal=wrapped and terminal.is_ours(),
    )


def begin(plan: Plan, settings: Settings, environ: Mapping[str, str]) -> Prelude:
    """Catch signals, take the socket, start what needs no other, and adopt what it leaves behind.

    Raises:
        UsageError: HEALTH_SOCKET is no address.
        CannotStartError: it cannot be had, nor the control socket that was asked for; nothing was started.
    """
    prelude = prepare(plan, environ)
    prelude.signals.install()
    # Only Twisted can tell whether an endpoint description can be had: until then nothing may be started.
    early = True
    if settings.socket is not None:
        prelude = evolve(prelude, listener=open_early(settings.socket, settings.control.tls))
        early = prelude.listener is not None
    if settings.control.socket is not None and settings.control.socket_required:
        prelude = evolve(prelude, control=open_control(settings.control.socket))
    if early:
        _remove(settings.readiness_file)
        prelude.head_start.begin(plan.processes, HEAD_START)
    prelude.adopt_orphans()
    return prelude


def _remove(readiness_file: str | None) -> None:
    """Remove that of a previous run. The host looks again, and says so if that is impossible."""
    if readiness_file is not None:
        with suppress(OSError):
            os.unlink(readiness_file)
