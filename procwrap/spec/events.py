"""Where events are sent."""

from __future__ import annotations

from attrs import frozen

from procwrap.spec.probe import Pairs


@frozen
class UdpEvents:
    """A server that takes events as datagrams.

    Attributes:
        labels: on every event, those that go before others of the same name last.
        labels_file: further labels, as Kubernetes' downward API writes them; None for none.
        exclude: names of labels of that file that are left out.
    """

    host: str
    port: int
    labels: Pairs = ()
    labels_file: str | None = None
    exclude: frozenset[str] = frozenset()

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
