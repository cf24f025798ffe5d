"""What an answer means for a batch: one place for what all servers have in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import frozen

from procwrap.core.oneline import one_line
from procwrap.sinks.patience import retry_after
from procwrap.sinks.post import Answer
from procwrap.sinks.shipping import Shipping, Verdict

T = TypeVar("T")

SHOWN = 200
"""Bytes of a refusal that are told."""

_TOO_LARGE = 413
_LATER = (408, 429)
_ADVICE = {
    401: " (are the user and password, or the key, right?)",
    403: " (may this user, or this key, write there?)",
    404: " (is the URL right?)",
}


@frozen
class Outcome(Generic[T]):
    """What became of a batch.

    Attributes:
        asked: seconds for which the server wants to be left alone.
        too_large: the batch has to be sent in smaller ones.
    """

    verdict: Verdict[T]
    asked: float = 0.0
    too_large: bool = False


def outcome(shipping: Shipping[T], items: tuple[T, ...], answer: Answer, wall: float) -> Outcome[T]:
    """Judge an answer; only one that says "good" is the shipping's to read.

    Args:
        shipping: knows the server.
        items: of the batch.
        answer: to it.
        wall: seconds since the epoch.
    """
    status = answer.status
    if 200 <= status < 300:
        return Outcome(shipping.judge(items, answer), retry_after(answer.headers, wall))
    if status == _TOO_LARGE and len(items) > 1:
        return Outcome(Verdict(again=items), too_large=True)
    reason = _words(answer)
    if status in _LATER or status >= 500:
        return Outcome(Verdict(again=items, reason=reason), retry_after(answer.headers, wall))
    return Outcome(Verdict(refused=sum(map(shipping.records, items)), reason=reason))


def no_answer(items: tuple[T, ...], reason: str) -> Outcome[T]:
    """Judge the want of an answer."""
    return Outcome(Verdict(again=items, reason=reason))


def unusable(shipping: Shipping[T], items: tuple[T, ...], bug: Exception) -> Outcome[T]:
    """Judge items, or an answer, that we can't handle."""
    return Outcome(Verdict(refused=sum(map(shipping.records, items)), reason=one_line(f"a bug: {bug!r}")))


def _words(answer: Answer) -> str:
    said = one_line(answer.body[:SHOWN].decode("utf-8", "replace"))
    status = f"{answer.status}{_ADVICE.get(answer.status, '')}"
    return f"{status}: {said}" if said else status
