"""What is done about the Envoy beside us, and when."""

from __future__ import annotations

from attrs import field, frozen

from procwrap.spec.probe import SECRET

DEFAULT_DRAIN_URL = "http://localhost:15000/drain_listeners"


@frozen
class Envoy:
    """What is asked of an Envoy; each part is None where it is not wanted.

    Attributes:
        drain: this is posted to when the machine or everything is about to end.
        wait: its admin interface, whose ``/server_info`` has to say LIVE before a process starts.
        start_after: seconds after which the processes start all the same; None waits for ever.
        give_up_after: seconds after which everything ends instead; goes before ``start_after``.
        quit: ``/quitquitquit`` is posted here when all processes are gone.
        quit_on_failure: also when the exit code is not 0.
    """

    drain: str | None = field(default=None, metadata=SECRET, repr=False)
    wait: str | None = field(default=None, metadata=SECRET, repr=False)
    start_after: float | None = None
    give_up_after: float | None = None
    quit: str | None = field(default=None, metadata=SECRET, repr=False)
    quit_on_failure: bool = True

    @property
    def is_asked_for(self) -> bool:
        """Whether there is anything to do."""
        return not (self.drain is self.wait is self.quit is None)
