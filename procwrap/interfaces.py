"""What the floors promise each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zope.interface import Attribute, Interface


class IProbe(Interface):
    """Looks once whether something is as it should be; knows neither period nor threshold."""

    kind = Attribute("str: the key of its type in the config, such as ``http``.")
    timeout = Attribute("float | None: seconds after which check() is cancelled; None never takes long.")
    target = Attribute("str: what is looked at, on one line, without secrets, such as ``127.0.0.1:5673``.")
    expected = Attribute("str: what it should show, such as ``to connect``; ends the line of a failed round.")

    def check() -> Any:
        """Look once.

        Returns:
            Deferred[None]: fires with None when all is well and fails with ProbeError otherwise.
            Cancelling it ends the attempt for real: sockets closed, process groups killed.
        """

    def close() -> None:
        """Give up everything that is kept between rounds, such as a connection."""


class ICommandRunner(Interface):
    """Runs a command on behalf of a process, with its user, directory, limits and environment."""

    def run(entrypoint: str, args: Sequence[str], envs: Sequence[tuple[str, str]]) -> Any:
        """Run a command to its end in a process group of its own.

        Args:
            entrypoint: a path, or a name looked up in the process's PATH.
            args: its arguments.
            envs: added to the process's environment.

        Returns:
            Deferred[CommandEnd]: fires when the command has exited; CommandEnd has ``end``
            (core.events.End) and ``output`` (bytes: the first 4,096 bytes of stdout and stderr).
            Fails with SpawnError when it cannot be executed. Cancelling it kills the group.
        """
