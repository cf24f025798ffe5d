"""What probes are told about the process they look at, and lent to look with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from attrs import Factory, field, frozen
from twisted.internet.defer import Deferred

from procwrap.core.notifications import Notified
from procwrap.interfaces import ICommandRunner
from procwrap.probes.aside import Asides


class HttpClient(Protocol):
    """What http probes need of ``treq.client.HTTPClient``."""

    def request(self, method: str, url: str, **options: Any) -> Deferred[Any]:
        """Send a request; the Deferred fires with an IResponse."""


@frozen
class ProbeContext:
    """One process and its surroundings, as far as probes look at them. All times are reactor seconds.

    Attributes:
        reactor: provides IReactorTime, IReactorTCP and IReactorFromThreads.
        environment: the process's environment as it was at its last start.
        runner: runs the commands of exec probes on behalf of the process.
        last_heartbeat: when the last heartbeat of the process came, or None.
        starts: when the process was started, oldest first. The first start of all does not count and is
            expected at the front; who forgets old starts has to keep ``threshold`` + 2 at least.
        started_at: when the process was last started, or None.
        http: returns the client that all http probes share, built on first use.
        asides: asks what may block; to be shared by all processes, and to outlive their restarts.
        notified: what the process has said of itself since its last start, up to this moment.
        lock_held: whether the shared lock of the process is held.
    """

    reactor: Any
    environment: Callable[[], Mapping[str, str]]
    runner: ICommandRunner
    last_heartbeat: Callable[[], float | None]
    starts: Callable[[], Iterable[float]]
    started_at: Callable[[], float | None]
    http: Callable[[], HttpClient]
    asides: Asides = field(default=Factory(lambda self: Asides(self.reactor), takes_self=True))
    notified: Callable[[], Notified] = Notified
    lock_held: Callable[[], bool] = lambda: False
