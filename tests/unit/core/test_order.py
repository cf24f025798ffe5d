from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.core.order import CycleError, layers


def test_each_comes_after_what_it_needs() -> None:
    """Independent ones share a layer, in the order of the config."""
    assert layers({"web": ["db", "cache"], "cache": [], "db": [], "job": ["web"]}) == [
        ["cache", "db"],
        ["web"],
        ["job"],
    ]


def test_a_circle_is_named_in_reading_order() -> None:
    """A -> b means that a needs b."""
    with pytest.raises(CycleError) as caught:
        layers({"a": ["b"], "b": ["c"], "c": ["a"]})
    cycle = caught.value.cycle
    assert cycle[0] == cycle[-1]
    assert all(second in {"a": "b", "b": "c", "c": "a"}[first] for first, second in itertools.pairwise(cycle))


@given(st.lists(st.lists(st.integers(0, 30), max_size=5), max_size=30))
def test_any_plan_without_circles_is_ordered(needs: list[list[int]]) -> None:
    """Whatever needs only earlier ones can be ordered, and every need is in an earlier layer."""
    graph = {str(i): [str(n) for n in wanted if n < i] for i, wanted in enumerate(needs)}
    found = layers(graph)
    place = {name: index for index, layer in enumerate(found) for name in layer}
    assert set(place) == set(graph)
    assert all(place[need] < place[name] for name, wanted in graph.items() for need in wanted)
