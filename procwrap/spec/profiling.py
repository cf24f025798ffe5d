"""Where the profiles of procwrap itself are sent."""

from __future__ import annotations

from attrs import field, frozen

from procwrap.spec.probe import SECRET


@frozen
class Profiling:
    """A Pyroscope server.

    Attributes:
        address: its URL, to which paths can be added, without user and password.
        user: who we are to it; empty for nobody in particular.
    """

    address: str
    user: str = ""
    password: str = field(default="", metadata=SECRET, repr=False)
