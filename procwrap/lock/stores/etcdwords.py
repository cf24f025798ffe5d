"""The words of etcd's JSON gateway: what is asked, and what its answers say; pure.

Source: https://etcd.io/docs/v3.4/dev-guide/api_reference_v3/ and …/api_grpc_gateway/: bytes are base64,
64-bit numbers are texts, and what is nothing (0, false, an empty list) is left out.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from procwrap.lock.lease import Lease, StoreError
from procwrap.lock.wanted import Wanted
from procwrap.lock.wire import PREFIX

GRANT, REVOKE, KEEPALIVE = "/v3/lease/grant", "/v3/lease/revoke", "/v3/lease/keepalive"
TIME_TO_LIVE, TXN, RANGE, WATCH = "/v3/lease/timetolive", "/v3/kv/txn", "/v3/kv/range", "/v3/watch"

NOT_FOUND, FAILED_PRECONDITION = 5, 9
"""Status codes of gRPC: no such lease; the lease is there already."""

_END = PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1)
PAGE = 500

Said = Mapping[str, Any]


@frozen
class Kept:
    """A key that somebody has.

    Attributes:
        lease: the id of the lease that it goes with; 0 for one that stays.
        created: the revision at which it was created: the fencing token.
        said: what was asked for when it was; whatever stands there.
    """

    key: str
    lease: int
    created: int
    said: Said

    @property
    def holder(self) -> str:
        """The value of the holder."""
        return _text(self.said.get("value"))


def dump(said: object) -> bytes:
    """Write a message."""
    return json.dumps(said, separators=(",", ":")).encode("ascii")


def base64(text: str) -> str:
    """Return text as bytes stand in a message."""
    return b64encode(text.encode("utf-8", "replace")).decode("ascii")


def grant(lease: int, ttl: float) -> bytes:
    """Ask for a lease of at least so many seconds."""
    return dump({"ID": str(lease), "TTL": str(-int(-ttl // 1))})


def of_lease(lease: int) -> bytes:
    """Ask for something about a lease."""
    return dump({"ID": str(lease)})


def look(key: str) -> bytes:
    """Ask who has a key; linearizable."""
    return dump({"key": base64(PREFIX + key)})


def page(after: str | None) -> bytes:
    """Ask for the next keys."""
    first = PREFIX if after is None else PREFIX + after + "\0"
    return dump({"key": base64(first), "range_end": base64(_END), "limit": str(PAGE)})


def how_many() -> bytes:
    """Ask how many keys there are; linearizable."""
    return dump({"key": base64(PREFIX), "range_end": base64(_END), "count_only": True})


def watch() -> bytes:
    """Ask to be told of every key that goes."""
    asked = {"key": base64(PREFIX), "range_end": base64(_END), "filters": ["NOPUT"]}
    return dump({"create_request": asked})


def take(wanted: Wanted, lease: int, since: float) -> bytes:
    """Ask for a key, or who has it."""
    key = base64(PREFIX + wanted.key)
    value = {
        "key": wanted.key,
        "value": wanted.value,
        "labels": dict(wanted.labels),
        "timestamp": wanted.timestamp,
        "request": wanted.request,
        "since": round(since, 3),
        "ttl": wanted.ttl,
    }
    put = {"key": key, "value": base64(json.dumps(value)), "lease": str(lease)}
    return dump(
        {
            "compare": [{"target": "CREATE", "key": key, "create_revision": "0"}],
            "success": [{"request_put": put}],
            "failure": [{"request_range": {"key": key}}],
        }
    )


# what the answers say


def revision(said: Said) -> int:
    """Return the revision of the store at which an answer holds."""
    return number(header(said), "revision")


def term(said: Said) -> int:
    """Return the raft term that the member who answers knew of."""
    return number(header(said), "raft_term")


def header(said: Said) -> Said:
    """Return the header of an answer."""
    return _object(said.get("header"))


def number(said: Said, name: str) -> int:
    """Return a number; 0 if it is not there.

    Raises:
        StoreError: there is something else.
    """
    try:
        return int(said.get(name, 0))
    except (TypeError, ValueError):
        raise StoreError(f"etcd answers with something else than a number as {name}") from None


def kept(said: Said) -> list[Kept]:
    """Return the keys of an answer to a range.

    Raises:
        StoreError: it is none.
    """
    found = said.get("kvs", [])
    if not isinstance(found, list):
        raise StoreError("etcd answers with something else than a list of keys")
    return [_kept(_object(each)) for each in found]


def kept_by_another(said: Said) -> Kept | None:
    """Return who has the key, of an answer to ``take``; None when it was taken."""
    if said.get("succeeded") is True:
        return None
    responses = said.get("responses")
    if isinstance(responses, list) and len(responses) == 1:
        found = kept(_object(_object(responses[0]).get("response_range")))
        if found:
            return found[0]
    raise StoreError("etcd answers a transaction with something that was not asked for")


def gone(said: Said) -> list[str]:
    """Return the keys that have gone, of one message of a watch."""
    events: Sequence[Any] = _object(said.get("result")).get("events") or ()
    kvs = [_object(_object(event).get("kv")) for event in events if _object(event).get("type") == "DELETE"]
    return [_plain(kv.get("key")).removeprefix(PREFIX) for kv in kvs]


def listed(found: Kept) -> Lease:
    """Return a key as it is listed."""
    said = found.said
    labels = _object(said.get("labels"))
    return Lease(
        key=found.key,
        value=found.holder,
        labels=tuple((_text(name), _text(value)) for name, value in labels.items()),
        timestamp=_text(said.get("timestamp")),
        since=_seconds(said.get("since")),
        ttl=_seconds(said.get("ttl")),
        token=found.created,
    )


def _kept(said: Said) -> Kept:
    key = _plain(said.get("key")).removeprefix(PREFIX)
    try:
        value = json.loads(_plain(said.get("value")))
    except (ValueError, RecursionError):
        value = {}
    return Kept(key, number(said, "lease"), number(said, "create_revision"), _object(value))


def _plain(said: object) -> str:
    try:
        return b64decode(_text(said)).decode("utf-8", "replace")
    except ValueError:
        raise StoreError("etcd answers with something else than base64") from None


def _object(said: object) -> Said:
    return said if isinstance(said, dict) else {}


def _text(said: object) -> str:
    return said if isinstance(said, str) else ""


def _seconds(said: object) -> float:
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    return float(said) if is_number and 0 <= said < 1e11 else 0.0  # type: ignore[operator, arg-type]
