"""Events in the ``_bulk`` API of Elasticsearch and OpenSearch: what is posted, and what the answer means.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from procwrap.core.indexname import index_name
from procwrap.core.oneline import one_line
from procwrap.core.timestamp import rfc3339
from procwrap.sinks.post import Answer
from procwrap.sinks.seedevents import SeedEvent
from procwrap.sinks.shipping import Parcel, Verdict

PATH = "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"
"""What is left out of the answer is 90 % of it, and of no interest."""

_CONTENT_TYPE = "application/x-ndjson"
_EXISTS = 409
_LATER = 429
_NO_BULK = "its answer is not one of the _bulk API"
_UNSAID = "its answer does not say what became of each event"
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
_MEMORY, _MEMORY_OF_LABEL = 600, 150
"""Bytes of an event without labels, and of a label besides its characters, roughly."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@frozen
class Kept:
    """An event on its way to the server.

    Attributes:
        number: its place among the events of this run of procwrap.
        wall: when it happened, in seconds since the epoch.
        labels: of all events at that moment; many share one mapping.
    """

    number: int
    wall: float
    event: SeedEvent
    labels: Mapping[str, str]


@frozen
class Bulk:
    """The ``Shipping`` of events.

    Attributes:
        index: a pattern.
        run: stands in the ``_id`` of every document, and nowhere else in the world.
        api_key: None where the URL says who we are.
    """

    index: str
    run: str
    api_key: str | None = field(default=None, repr=False)

    def size(self, item: Kept, /) -> int:
        """Return the bytes of memory of an event, roughly; those of the labels that all share left out."""
        labels = item.event.labels
        return _MEMORY + sum(_MEMORY_OF_LABEL + len(name) + len(labels[name]) for name in labels)

    def records(self, item: Kept, /) -> int:
        """Every item is one event."""
        return 1

    def pack(self, items: tuple[Kept, ...], /) -> Parcel:
        """Write two lines an event: what to do with it, and its document."""
        text = "".join(f"{self._action(item)}\n{_document(item)}\n" for item in items)
        headers = {"content-type": _CONTENT_TYPE}
        if self.api_key is not None:
            headers["authorization"] = f"ApiKey {self.api_key}"
        return Parcel(text.encode(), headers)

    def judge(self, items: tuple[Kept, ...], answer: Answer, /) -> Verdict[Kept]:
        """Read what became of each document."""
        said = _read(answer.body)
        if said is None:
            # Whoever has answered in the place of the server, such as a proxy, has kept nothing.
            return Verdict(again=items, reason=_NO_BULK)
        if said.get("errors") is False:
            return Verdict(sent=len(items))
        results = said.get("items")
        if not isinstance(results, list) or len(results) != len(items):
            return Verdict(refused=len(items), reason=_UNSAID)
        return _sorted_out(items, results)

    def _action(self, item: Kept) -> str:
        # Index and create differ in that create never overwrites, and that data streams take it.
        target = {"_index": index_name(self.index, item.wall), "_id": f"{self.run}-{item.number}"}
        return _encode({"create": target})


def _document(item: Kept) -> str:
    event = item.event
    labels = {**item.labels, **event.labels, "event_type": event.name}
    document = {
        "@timestamp": rfc3339(item.wall),
        "name": event.name,
        "op": event.op,
        "value": event.value,
        "sequence": item.number,
        # A field without a name would have the whole document refused.
        "labels": {name: value for name, value in labels.items() if name.strip()},
    }
    text = _encode(document)
    # A byte that is no UTF-8 arrives here as half a surrogate pair.
    return text if text.isascii() else _HALF_A_PAIR.sub("\ufffd", text)


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and ("errors" in said or "items" in said) else None


def _sorted_out(items: tuple[Kept, ...], results: list[Any]) -> Verdict[Kept]:
    sent = refused = 0
    again: list[Kept] = []
    reason = later = ""
    for item, result in zip(items, results, strict=True):
        status, why = _result(result)
        # Whose answer was lost the first time exists already.
        if 200 <= status < 300 or status == _EXISTS:
            sent += 1
        elif status == _LATER or status >= 500:
            again.append(item)
            later = later or why
        else:
            refused += 1
            reason = reason or why
    return Verdict(sent, refused, tuple(again), reason or later)


def _result(result: Any) -> tuple[int, str]:
    """Return the status of one document, 0 when there is none, and why it was not kept."""
    done = next(iter(result.values()), None) if isinstance(result, dict) else None
    if not isinstance(done, dict):
        return 0, _UNSAID
    status, error = done.get("status"), done.get("error")
    if not isinstance(status, int):
        return 0, _UNSAID
    if not isinstance(error, dict):
        return status, str(status)
    return status, one_line(f"{status}: {error.get('type')}: {error.get('reason')}")
