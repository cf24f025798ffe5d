"""Frozen records of what a reload of the config does."""

from __future__ import annotations

from attrs import frozen

from procwrap.core.changes import Changes


@frozen
class ChecksRenewed:
    """The checks of a process were made anew; what the old ones have seen counts no more."""

    name: str


@frozen
class Forgotten:
    """A process is gone and no longer part of the config; nothing more will be told of it."""

    name: str


@frozen
class Reloaded:
    """The config was read again and everything that it says has begun; what comes of that is seen later."""

    changes: Changes


ReloadEvent = ChecksRenewed | Forgotten | Reloaded
