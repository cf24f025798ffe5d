"""How the containers beside ours are told that our work is done."""

from __future__ import annotations

from attrs import field, frozen

from procwrap.spec.probe import SECRET


@frozen
class QuitRequest:
    """A request that asks a sidecar to end."""

    method: str
    url: str = field(metadata=SECRET, repr=False)


@frozen
class Quitting:
    """What is done when all our processes are gone.

    Attributes:
        requests: all are sent.
        kill: names of executables; whatever runs one gets SIGTERM.
        kill_all: SIGTERM to every other process that can be seen.
    """

    requests: tuple[QuitRequest, ...] = ()
    kill: tuple[str, ...] = ()
    kill_all: bool = False

    @property
    def is_asked_for(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.requests or self.kill or self.kill_all)
