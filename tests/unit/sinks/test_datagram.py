from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procwrap.sinks.datagram import MOST, encode, trimmed
from procwrap.sinks.seedevents import SeedEvent

COMMON = {"pod": "web-1", "namespace": "shop", "node": "n1"}

# What Go's json.Marshal makes of each text in a map of labels (encoding/json, appendString).
GO = [
    ("plain", '"plain"'),
    ("", '""'),
    ('say "hi" \\ o', r'"say \"hi\" \\ o"'),
    ("a<b>c&d", r'"a\u003cb\u003ec\u0026d"'),
    ("tab\tline\ncr\rbs\bff\f", r'"tab\tline\ncr\rbs\bff\f"'),
    ("\x00\x01\x1b\x1f", r'"\u0000\u0001\u001b\u001f"'),
    ("del\x7f", '"del\x7f"'),
    ("/slash'", '"/slash\'"'),
    ("größe 日本 🚀", '"größe 日本 🚀"'),
    ("\u2028\u2029", r'"\u2028\u2029"'),
    ("bad\udcff\udc80byte", r'"bad\ufffd\ufffdbyte"'),
    ("\ufffd", '"\ufffd"'),
]


@pytest.mark.parametrize(("text", "written"), GO)
def test_texts_are_written_as_go_does(text: str, written: str) -> None:
    """A server that compares bytes sees no difference to the seed, in values and in names."""
    made = encode(SeedEvent("x", {"v": text}), {})
    assert (
        made == f'{{"name":"x","labels":{{"event_type":"x","v":{written}}},"op":"event","value":1}}'.encode()
    )
    if text:
        assert f"{written}:".encode() in encode(SeedEvent("x", {text: "v"}), {})


def test_a_whole_event() -> None:
    """Keys in the order of the seed's record, labels sorted, no spaces."""
    event = SeedEvent("restart", {"process_name": "api", "command": "sh -c 'a && b'"})
    assert encode(event, COMMON) == (
        b'{"name":"restart","labels":{"command":"sh -c \'a \\u0026\\u0026 b\'","event_type":"restart",'
        b'"namespace":"shop","node":"n1","pod":"web-1","process_name":"api"},"op":"event","value":1}'
    )


def test_op_and_value() -> None:
    """A counter that begins with 0."""
    made = encode(SeedEvent("preempted", {}, "inc", 0), {})
    assert made == b'{"name":"preempted","labels":{"event_type":"preempted"},"op":"inc","value":0}'


def test_labels_are_sorted_as_bytes() -> None:
    """As Go sorts the keys of a map."""
    made = json.loads(encode(SeedEvent("x", {"b": "", "A": "", "_": "", "é": "", "🚀": "", "ﬀ": ""}), {}))
    assert list(made["labels"]) == ["A", "_", "b", "event_type", "é", "ﬀ", "🚀"]


def test_own_labels_win() -> None:
    """No label of the Pod says something wrong about the event."""
    common = {"event_type": "mine", "process_name": "mine", "pod": "p"}
    made = json.loads(encode(SeedEvent("readiness", {"process_name": "api"}), common))
    assert made["labels"] == {"event_type": "readiness", "process_name": "api", "pod": "p"}


def test_the_longest_labels_are_cut() -> None:
    """A datagram never has more than 8 KiB, and what is short in it stays whole."""
    made = encode(SeedEvent("restart", {"command": "x" * 100_000, "process_name": "api"}), COMMON)
    labels = json.loads(made)["labels"]
    assert MOST - 10 < len(made) <= MOST
    assert set(labels.pop("command")) == {"x"}
    assert labels == {**COMMON, "event_type": "restart", "process_name": "api"}


def test_two_long_labels_share() -> None:
    """Neither is cut to nothing for the sake of the other, and no character is torn."""
    labels = json.loads(encode(SeedEvent("x", {"a": "é" * 9000, "b": "<" * 9000, "c": "short"}), {}))[
        "labels"
    ]
    assert len(labels["a"]) == len(labels["b"]) > 900
    assert labels["c"] == "short"


def test_too_many_names_are_left_out() -> None:
    """The event itself is told in any case."""
    made = encode(SeedEvent("readiness", {"process_name": "api"}), {f"label_{n}": "x" for n in range(5000)})
    labels = json.loads(made)["labels"]
    assert len(made) <= MOST
    assert (labels["process_name"], labels["event_type"]) == ("api", "readiness")
    assert len(labels) > 100


def test_trimmed_leaves_room() -> None:
    """Long labels of the Pod leave room for those of an event."""
    common = trimmed({**COMMON, "long": "x" * 20_000})
    assert common["pod"] == "web-1"
    event = SeedEvent("readiness", {"process_name": "api", "probe": "http", "status": "false"})
    assert json.loads(encode(event, common))["labels"] == {
        **common,
        **event.labels,
        "event_type": "readiness",
    }


@given(st.dictionaries(st.text(max_size=300), st.text(max_size=6000), max_size=12))
def test_always_json_within_the_bound(labels: dict[str, str]) -> None:
    """Whatever the labels are, a datagram is valid JSON in UTF-8 of at most 8 KiB."""
    made = encode(SeedEvent("x", {}), labels)
    assert len(made) <= MOST
    assert json.loads(made.decode())["name"] == "x"
