from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from procwrap.logs.labels import Raw, child_fields, label_fields
from tests.support import gologfmt

OURS = [("name", "web"), ("team", "core")]


def admitted(*keys: str) -> list[str]:
    """Return what the keys of a child's fields become."""
    return [key for key, _ in child_fields(OURS).admit([(key, "x") for key in keys])]


def test_ordinary_keys_stay() -> None:
    """A logger's usual keys are not touched, and the second line is as the first."""
    fields = child_fields(OURS)
    for _ in range(2):
        assert fields.admit([("ts", "1"), ("request.id", "2")]) == [("ts", "1"), ("request.id", "2")]


def test_ours_cannot_be_overwritten() -> None:
    """A field that is called like one of ours or like a label is kept under another name."""
    assert admitted("time", "pid", "team", "hook") == ["child_time", "child_pid", "child_team", "child_hook"]


def test_repeated_keys_are_numbered() -> None:
    """Of fields with the same key none is lost."""
    assert admitted("a", "a", "a_2", "a", "pid", "child_pid") == [
        "a",
        "a_2",
        "a_2_2",
        "a_3",
        "child_pid",
        "child_pid_2",
    ]


def test_a_number_that_is_taken_is_left_out() -> None:
    """A key that looks numbered already is no obstacle."""
    assert admitted("a", "a_2", "a", "a") == ["a", "a_2", "a_3", "a_4"]


def test_forbidden_characters_are_replaced() -> None:
    """What would make a key invalid becomes an underscore."""
    assert admitted("a b", 'c="d', "", "e\ufffd\ud800", "f'\x7f") == ["a_b", "c__d", "_", "e__", "f__"]


def test_many_repeats_stay_cheap() -> None:
    """A line of nothing but repeated keys costs time in proportion."""
    keys = admitted(*["a"] * 20_000)
    assert keys[-1] == "a_20000"
    assert len(set(keys)) == 20_000


@given(st.lists(st.text(max_size=5)))
def test_keys_are_always_valid_and_distinct(keys: list[str]) -> None:
    """go-logfmt takes every key that comes out."""
    out = admitted(*keys)
    line = " ".join(f"{key}=x" for key in out).encode()
    assert gologfmt.decode(line) == [(key, "x") for key in out]
    assert len({*out, "name", "team"}) == len(keys) + 2


def test_a_label_called_like_a_field_of_ours() -> None:
    """A label cannot hide where a line came from."""
    labels = (("team", "core"), ("out", "x"), ("a b", "y"))
    assert label_fields(labels) == [("team", "core"), ("label_out", "x"), ("a_b", "y")]


def test_raw_is_text_that_json_shows_without_quotes() -> None:
    """A number keeps its spelling."""
    assert json.loads(Raw("1.50")) == 1.5
    assert Raw("1.50") == "1.50"
