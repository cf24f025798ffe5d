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


class ILeaseStore(Interface):
    """Keeps the leases of locks: of each key there is at most one that is not over.

    Whatever cannot be done fails with ``lock.lease.StoreError``. The leases' time is the store's own: none
    is over before its TTL has passed since its last keepalive, or its grant, was received.
    """

    expired = Attribute("int: how many leases were not kept alive, as far as the store has seen.")

    def watch(freed: Any) -> None:
        """Call ``freed(key)`` whenever a key has become free, as far as the store can tell.

        Never from within another call of the store.
        """

    def acquire(wanted: Any) -> Any:
        """Give a key to whoever wants it, unless somebody has it.

        Args:
            wanted: a lock.wanted.Wanted; the same ``request`` gets the lease that it already has.

        Returns:
            Deferred[lock.lease.Granted | lock.lease.Refused]. Cancelling it gives back what was granted.
        """

    def keep(lease: int) -> Any:
        """Let the TTL of a lease begin anew.

        Returns:
            Deferred[float | None]: the TTL in seconds; None when the lease is over or unknown.
        """

    def release(lease: int) -> Any:
        """End a lease.

        Returns:
            Deferred[bool]: whether it was there.
        """

    def leases() -> Any:
        """Return a Deferred of all leases, a sequence of lock.lease.Lease."""

    def count() -> Any:
        """Return a Deferred of how many leases there are."""

    def check() -> Any:
        """Return a Deferred that fires when the store can do its work now."""

    def close() -> Any:
        """Return a Deferred that fires when everything is written and closed."""


class IFleet(Interface):
    """Acts on processes by name, for an operator; every name has to be one of the snapshot's.

    Whatever cannot be now fails with ``errors.OrderRefusedError``: a start during the shutdown, say.
    Cancelling a Deferred ends the waiting only, never what was asked for.
    """

    def start(name: str) -> Any:
        """Start a process that does not run; one that runs, or will by itself, is left as it is.

        Returns:
            Deferred[None]: fires when it runs and is healthy, or has done its work; fails when it could not
            be started, ended otherwise, or was stopped meanwhile.
        """

    def stop(name: str) -> Any:
        """Stop a process, with its preStop hook and its grace; it is not started again by itself.

        Returns:
            Deferred[None]: fires when it is gone.
        """

    def restart(name: str) -> Any:
        """Stop a process if it runs, and start it; fires and fails as ``start`` does."""

    def signal(name: str, number: int) -> None:
        """Send a signal to its process group.

        Raises:
            OrderRefusedError: it does not run.
        """

    def reload() -> Any:
        """Read the config again and change what has changed in it, once everything in it was checked.

        Returns:
            Deferred[core.changes.Changes]: fires when everything is as the config says, or failed to become
            so, which the Changes tell. Fails with config.problem.ConfigError, or another UsageError, when
            the config is wrong (nothing has changed then), and with OrderRefusedError.
        """
