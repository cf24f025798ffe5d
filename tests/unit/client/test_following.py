from __future__ import annotations

import itertools
from typing import Any

import pytest

from procwrap.client.following import LOST, follow
from procwrap.client.sse import OPEN, Event
from procwrap.errors import NoHostError, OrderRefusedError, ProcwrapError
from tests.support.client import Hands, SpokenHost

GONE = NoHostError("no procwrap at test", gone=True)
BROKEN = NoHostError("the connection broke")


def followed(
    streams: list[Any], hands: Hands | None = None, most: int = 100, **options: Any
) -> list[tuple[str, str]]:
    """Follow streams, each after the one before has broken off."""
    host = SpokenHost({"/x": streams})
    events = follow(lambda last: host.stream("/x", last), "test", (hands or Hands()).clock(), **options)
    return [(event.kind, event.data) for event in itertools.islice(events, most)]


def test_what_comes_after_a_break_follows_what_came_before() -> None:
    """The host is told what came last, and somebody who listens hears of the break."""
    host = SpokenHost({"/x": [[Event("a", "1", "7"), BROKEN], [Event("a", "2", "8")]]})
    events = follow(lambda last: host.stream("/x", last), "test", Hands().clock())
    found = [(event.kind, event.data) for event in itertools.islice(events, 6)]
    assert found == [
        (OPEN, ""), ("a", "1"), (LOST, "the connection broke"),
        (OPEN, ""), ("a", "2"), (LOST, "procwrap has ended it"),
    ]  # fmt: skip
    assert host.last_ids == ["", "7"]


@pytest.mark.parametrize("error", [GONE, BROKEN, OrderRefusedError("no")])
def test_no_host_at_the_beginning(error: ProcwrapError) -> None:
    """There is nothing to wait for."""
    with pytest.raises(type(error), match=str(error)):
        followed([error])


def test_a_host_that_may_come_yet() -> None:
    """Whoever is patient waits for it, with looks a second apart."""
    hands = Hands()
    found = followed([*[[GONE] for _ in range(5)], [Event("a", "1")]], hands, 7, patient=True)
    assert found[:5] == [(LOST, str(GONE))] * 5
    assert found[5:] == [(OPEN, ""), ("a", "1")]
    assert hands.slept == [0.25, 0.5, 1.0, 1.0, 1.0]


def test_patience_is_for_those_who_are_not_there() -> None:
    """Somebody else at that address will not turn into procwrap."""
    with pytest.raises(NoHostError, match="the connection broke"):
        followed([BROKEN], patient=True)


def test_a_host_that_has_gone() -> None:
    """After some seconds in which nobody listens there is none any more."""
    hands = Hands()
    with pytest.raises(NoHostError, match="the procwrap at test has gone") as caught:
        followed([[Event("a", "1")], *[[GONE] for _ in range(10)]], hands)
    assert caught.value.gone
    assert 3.0 <= sum(hands.slept) < 5.0
    with pytest.raises(NoHostError, match="has gone"):
        followed([[Event("a", "1")], [GONE]], gone_after=0.0)


def test_a_host_that_comes_back() -> None:
    """It may go again after that: the seconds begin anew."""
    once = [[Event("a", "1")], *[[GONE] for _ in range(3)]]
    found = followed([*once, *once, *once, [Event("a", "end")]], Hands(), 1 + 15 + 3)
    assert found.count(("a", "1")) == 3


def test_a_network_that_is_away_for_long() -> None:
    """That is waited for, less and less often."""
    hands = Hands()
    followed([[Event("a", "1")], *[[BROKEN] for _ in range(20)]], hands, 20)
    assert hands.slept[:8] == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_host_that_refuses_later() -> None:
    """The process is no longer in its config, say."""
    with pytest.raises(OrderRefusedError, match="no"):
        followed([[Event("a", "1")], [OrderRefusedError("no")]])
