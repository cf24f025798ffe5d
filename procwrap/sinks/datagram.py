"""An event as the bytes of one datagram, just as Go's ``encoding/json`` writes the seed's record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from procwrap.sinks.seedevents import SeedEvent

MOST = 8 * 1024
"""Bytes of a datagram."""

_FOR_HTML = (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"))
_NO_CHARACTERS = re.compile("[\u2028\u2029\ud800-\udfff]")
_ROOM = 1024
"""Bytes of a datagram that the labels of all events leave to the event's own."""

_KEPT = frozenset(
    {"event_type", "pod", "namespace", "node", "signal", "process_name", "probe", "status", "command"}
)
"""Labels that are cut, but never left out."""


def encode(event: SeedEvent, common: Mapping[str, str]) -> bytes:
    """Write an event in at most ``MOST`` bytes; the longest labels are cut where it would be longer.

    Args:
        event: whose own labels go before the common ones.
        common: the labels of all events.
    """
    labels = {**common, **_cut_to(event.labels, MOST), "event_type": event.name}
    data = _json(event, labels)
    if len(data) <= MOST:
        return data
    return _json(event, _cut(labels, lambda cut: len(_json(event, cut)) <= MOST))


def trimmed(common: Mapping[str, str]) -> Mapping[str, str]:
    """Cut common labels to what a datagram can hold, so that this need not be found out for each event."""
    return _cut(common, lambda cut: len(_json(SeedEvent(""), cut)) <= MOST - _ROOM)


def _json(event: SeedEvent, labels: Mapping[str, str]) -> bytes:
    record = {
        "name": event.name,
        # Go sorts the keys of maps, and leaves those of structs in their order.
        "labels": dict(sorted(labels.items())),
        "op": event.op,
        "value": event.value,
    }
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    for character, escaped in _FOR_HTML:
        text = text.replace(character, escaped)
    return (text if text.isascii() else _NO_CHARACTERS.sub(_escape, text)).encode()


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    # A byte that is no UTF-8 arrives here as half a surrogate pair.
    return "\\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def _cut(labels: Mapping[str, str], fits: Callable[[Mapping[str, str]], bool]) -> Mapping[str, str]:
    if fits(labels):
        return labels
    labels = _without_longest_names(labels, fits)
    low, high = 0, min(max(map(len, labels.values()), default=0), MOST)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(_cut_to(labels, middle)):
            low = middle
        else:
            high = middle - 1
    return _cut_to(labels, low)


def _cut_to(labels: Mapping[str, str], longest: int) -> Mapping[str, str]:
    return {name: value[:longest] for name, value in labels.items()}


def _without_longest_names(
    labels: Mapping[str, str], fits: Callable[[Mapping[str, str]], bool]
) -> Mapping[str, str]:
    """Leave labels out until the names of the others fit: nobody names labels so."""
    others = sorted((name for name in labels if name not in _KEPT), key=len)
    kept = dict.fromkeys(labels, "")
    while others and not fits(kept):
        half = len(others) // 2
        for name in others[half:]:
            del kept[name]
        del others[half:]
    return {name: labels[name] for name in kept}
