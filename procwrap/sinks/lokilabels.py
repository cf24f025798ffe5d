"""The labels of a stream, within what a Loki takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from procwrap.core.eventlabels import label_name
from procwrap.spec.probe import Pairs

MOST = 15
"""Labels of a stream: ``max_label_names_per_series``, as Loki has it by default."""
LONGEST_VALUE = 2048
"""Bytes of a value: ``max_label_value_length``."""


def stream_labels(where: Pairs, ours: Pairs, configured: Pairs) -> Mapping[str, str]:
    """Return the labels of a stream: no more, and none longer, than Loki takes.

    Those of the config go before ``job`` and where we are. Empty ones are left out, and the last of too many.

    Args:
        where: we are.
        ours: what tells the stream from the others of this host.
        configured: of its process; ``-``, ``.`` and ``/`` in their names become ``_``.
    """
    config = {label_name(name): _cut(value) for name, value in configured}
    fixed = {"job": "procwrap", **dict(where)}
    labels = {name: config.get(name) or _cut(value) for name, value in fixed.items()}
    labels |= {name: _cut(value) for name, value in ours}
    labels |= {name: value for name, value in config.items() if name not in labels}
    return dict([(name, value) for name, value in labels.items() if value][:MOST])


def left_out(where: Pairs, ours: Iterable[str], configured: Pairs) -> tuple[str, ...]:
    """Return the names of configured labels for which a stream has no room."""
    kept = stream_labels(where, tuple((name, "x") for name in ours), configured)
    return tuple(name for name, value in configured if value and label_name(name) not in kept)


def written(labels: Mapping[str, str]) -> bytes:
    """Write the labels as JSON."""
    return json.dumps(labels, ensure_ascii=False).encode()


def _cut(value: str) -> str:
    # A variable of the environment may hold bytes that are no UTF-8.
    return value.encode("utf-8", "surrogateescape")[:LONGEST_VALUE].decode("utf-8", "ignore")
