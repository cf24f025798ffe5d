"""Where log records are pushed."""

from __future__ import annotations

from attrs import field, frozen

from procwrap.spec.probe import SECRET, Pairs


@frozen
class Loki:
    """A server that keeps log records.

    Attributes:
        url: that they are posted to; a user and password may stand in it.
        tenant: whose they are, where it serves several.
        labels: of all streams: where we are, as far as that is known.
    """

    url: str = field(metadata=SECRET, repr=False)
    tenant: str | None = None
    labels: Pairs = ()
