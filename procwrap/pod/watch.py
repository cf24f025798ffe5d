"""What a list and a watch of one Pod have told so far: bytes to lines, and lines to what is true.

The protocol is that of https://kubernetes.io/docs/reference/using-api/api-concepts/: a list says how all is
and at which version that was; a watch from that version on says what has changed since, one JSON object a
line. Each change and each bookmark has a version from which a later watch may go on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field, frozen

from procwrap.core.oneline import one_line
from procwrap.pod.podview import PodView, read_pod
from procwrap.pod.problem import ApiError, ExpiredError

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of a line; etcd takes no object above 1.5 MiB."""
LONGEST_VERSION = 128

_GONE = 410


@frozen
class Known:
    """What is known of the Pod.

    Attributes:
        version: where a watch may go on; empty when everything has to be listed first.
        pod: as it was last seen; None before that, and when it does not exist (any more).
        uid: of the Pod that was seen first. Another one of the same name is not ours.
    """

    version: str = ""
    pod: PodView | None = None
    uid: str = ""


@define(eq=False)
class Lines:
    """Puts together the lines of what comes in pieces, cut anywhere.

    Args:
        most: bytes of a line.
    """

    _most: int = MOST_BYTES
    _begun: list[bytes] = field(factory=list)
    _size: int = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Take a piece, and return the lines that are complete now, without empty ones.

        Raises:
            ApiError: a line is too long.
        """
        first, *others = piece.split(b"\n")
        self._begin(first)
        if not others:
            return []
        lines = [b"".join(self._begun), *others[:-1]]
        self._begun, self._size = [], 0
        self._begin(others[-1])
        return [line for line in lines if line.strip()]

    def _begin(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._most:
            raise ApiError(f"the API server sends a line of more than {self._most // 1024} KiB")
        if part:
            self._begun.append(part)


def listed(known: Known, body: bytes, name: str) -> Known:
    """Return what is known after a list.

    Args:
        known: before.
        body: of the answer.
        name: of the Pod.

    Raises:
        ApiError: this is no list.
    """
    answer = _object(body)
    items, version = answer.get("items"), _version(answer)
    if not version or not (items is None or isinstance(items, list)):
        raise ApiError("the API server answers something else than a list of Pods")
    return _seen(known, version, next((pod for pod in map(read_pod, items or ()) if pod.name == name), None))


def changed(known: Known, line: bytes, name: str) -> Known:
    """Return what is known after a line of a watch.

    Raises:
        ExpiredError: everything has to be listed again.
        ApiError: the watch is over, or the line says nothing that could be understood.
    """
    change = _object(line)
    kind, about = change.get("type"), change.get("object")
    if not isinstance(about, Mapping):
        raise ApiError("the API server sends something else than a change of a Pod")
    if kind == "ERROR":
        raise _error(about)
    version = _version(about)
    if not version:
        raise ApiError("the API server sends a change without a version")
    if kind == "BOOKMARK":
        return evolve(known, version=version)
    pod = read_pod(about)
    if pod.name != name:
        return evolve(known, version=version)
    return _seen(known, version, None if kind == "DELETED" else pod)


def _seen(known: Known, version: str, pod: PodView | None) -> Known:
    if pod is not None and known.uid not in ("", pod.uid):
        # Ours is gone; a StatefulSet's next one has the same name.
        pod = None
    return Known(version, pod, known.uid or (pod.uid if pod is not None else ""))


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ApiError("the API server sends something else than JSON") from None
    if not isinstance(found, Mapping):
        raise ApiError("the API server sends something else than an object")
    return found


def _version(of: Mapping[str, Any]) -> str:
    metadata = of.get("metadata")
    version = metadata.get("resourceVersion") if isinstance(metadata, Mapping) else None
    return version if isinstance(version, str) and len(version) <= LONGEST_VERSION else ""


def _error(status: Mapping[str, Any]) -> ApiError:
    if status.get("code") == _GONE or status.get("reason") in ("Expired", "Gone"):
        return ExpiredError("the API server has forgotten what happened since the last version")
    message = status.get("message") or status.get("reason")
    said = one_line(message) if isinstance(message, str) else "an error"
    return ApiError(f"the API server ends the watch: {said}")
