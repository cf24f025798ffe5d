"""Where events are sent, and what stands on all of them."""

from __future__ import annotations

from attrs import field, frozen

from procwrap.spec.probe import SECRET, Pairs

DEFAULT_INDEX = "procwrap-%Y.%m.%d"


@frozen
class EventLabels:
    """The labels that all events carry.

    Attributes:
        fixed: those that go before others of the same name last.
        file: of further labels, as Kubernetes' downward API writes them; None for none.
        exclude: names of labels of that file that are left out.
    """

    fixed: Pairs = ()
    file: str | None = None
    exclude: frozenset[str] = frozenset()


@frozen
class UdpEvents:
    """A server that takes events as datagrams."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@frozen
class Elasticsearch:
    """A server, Elasticsearch or OpenSearch, that keeps events as documents.

    Attributes:
        url: of the server; a user and password may stand in it.
        index: the name of the index or data stream, in which ``%Y``, ``%m`` and the like stand for the day.
        api_key: as the server wants it behind ``ApiKey``; None when the URL says who we are.
    """

    url: str = field(metadata=SECRET, repr=False)
    index: str = DEFAULT_INDEX
    api_key: str | None = field(default=None, metadata=SECRET, repr=False)
