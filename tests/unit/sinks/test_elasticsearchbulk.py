from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from procwrap.sinks.elasticsearchbulk import Bulk, Kept
from procwrap.sinks.post import Answer
from procwrap.sinks.seedevents import SeedEvent
from procwrap.sinks.shipping import Verdict

WALL = 1_795_291_384.5678
COMMON = {"pod": "web-1", "namespace": "shop"}
RESTART = SeedEvent("restart", {"process_name": "api", "command": "/bin/api --token ***"})
BULK = Bulk("procwrap-%Y.%m.%d", "0123abcd")
PAGE = (Path(__file__).parents[3] / "docs/reference/events.md").read_text("utf-8")
ITEMS = tuple(Kept(number, WALL, RESTART, COMMON) for number in range(1, 5))


def lines(*items: Kept, bulk: Bulk = BULK) -> list[dict[str, Any]]:
    """What is posted for some events, line by line."""
    body = bulk.pack(items).body
    assert body.endswith(b"\n")
    return [json.loads(line) for line in body.split(b"\n")[:-1]]


def answered(*results: int | dict[str, Any], errors: bool | None = True) -> Answer:
    """An answer with the result of each event: a status, or an error with it."""
    items = [{"create": {"status": each} if isinstance(each, int) else each} for each in results]
    return Answer(200, {}, json.dumps({"errors": errors, "items": items}).encode())


def test_an_event() -> None:
    """It is created under a name of its own in the index of its day."""
    assert lines(ITEMS[0]) == [
        {"create": {"_index": "procwrap-2026.11.21", "_id": "0123abcd-1"}},
        {
            "@timestamp": "2026-11-21T20:03:04.567Z",
            "name": "restart",
            "op": "event",
            "value": 1,
            "sequence": 1,
            "labels": {
                "pod": "web-1",
                "namespace": "shop",
                "process_name": "api",
                "command": "/bin/api --token ***",
                "event_type": "restart",
            },
        },
    ]


def test_the_document_of_the_reference() -> None:
    """The page shows what is really posted."""
    (shown,) = re.findall(r'^```json\n(\{\n  "@timestamp".*?)^```', PAGE, re.MULTILINE | re.DOTALL)
    document = json.loads(shown)
    own = {name: document["labels"][name] for name in ("process_name", "command")}
    common = {name: document["labels"][name] for name in ("pod", "namespace", "node")}
    posted = lines(Kept(document["sequence"], WALL, SeedEvent(document["name"], own), common))[1]
    assert posted == document
    assert list(posted) == list(document)


def test_headers() -> None:
    """The type of the body, and the API key where there is one, which is shown nowhere else."""
    assert BULK.pack(ITEMS).headers == {"content-type": "application/x-ndjson"}
    bulk = evolve(BULK, api_key="aWQ6a2V5")
    assert bulk.pack(ITEMS).headers["authorization"] == "ApiKey aWQ6a2V5"
    assert "aWQ6a2V5" not in repr(bulk)


def test_midnight() -> None:
    """Events of one batch go into the index of their own day."""
    days = [evolve(ITEMS[0], wall=1_795_305_599.999), evolve(ITEMS[0], wall=1_795_305_600.0)]
    names = [line["create"]["_index"] for line in lines(*days)[::2]]
    assert names == ["procwrap-2026.11.21", "procwrap-2026.11.22"]


def test_whose_label_counts() -> None:
    """The event's own goes before those of all, and its name before everything."""
    event = SeedEvent("restart", {"pod": "mine", "event_type": "mine"})
    assert lines(Kept(1, WALL, event, {**COMMON, "event_type": "theirs"}))[1]["labels"] == {
        "pod": "mine",
        "namespace": "shop",
        "event_type": "restart",
    }


def test_what_the_server_could_not_take() -> None:
    """A label without a name is left out, and what is no text becomes U+FFFD."""
    labels = {"": "a", " ": "b", "app": "caf\udce9", "ok": "café \N{PARTY POPPER}"}
    found = lines(Kept(1, WALL, SeedEvent("x"), labels))[1]["labels"]
    assert found == {"app": "caf\ufffd", "ok": "café \N{PARTY POPPER}", "event_type": "x"}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
EVENTS = st.builds(
    Kept,
    st.integers(1, 2**53),
    st.floats(0, 4e9),
    st.builds(SeedEvent, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=4), TEXTS, st.integers(0, 9)),
    st.dictionaries(TEXTS, TEXTS, max_size=4),
)


@given(st.lists(EVENTS, min_size=1, max_size=5))
def test_whatever_stands_in_it(items: list[Kept]) -> None:
    """Two lines an event, in order, and every text arrives as it is."""
    found = lines(*items)
    assert [line["create"]["_id"] for line in found[::2]] == [f"0123abcd-{item.number}" for item in items]
    for item, document in zip(items, found[1::2], strict=True):
        labels = {**item.labels, **item.event.labels, "event_type": item.event.name}
        assert document["labels"] == {name: labels[name] for name in labels if name.strip()}
        assert (document["name"], document["op"]) == (item.event.name, item.event.op)
        assert (document["value"], document["sequence"]) == (item.event.value, item.number)


def test_memory() -> None:
    """It grows with the labels of an event, and not with those that all share."""
    assert BULK.size(ITEMS[0]) == BULK.size(evolve(ITEMS[0], labels={}))
    longer = evolve(ITEMS[0], event=SeedEvent("restart", {"command": "x" * 200}))
    assert BULK.size(longer) - BULK.size(evolve(ITEMS[0], event=SeedEvent("restart"))) > 200
    assert BULK.records(longer) == 1


def test_all_is_well() -> None:
    """Whoever says that there are no errors need not list what went well, as some servers do not."""
    assert BULK.judge(ITEMS, Answer(200, {}, b'{"took":3,"errors":false}')) == Verdict(sent=4)
    assert BULK.judge(ITEMS, answered(201, 201, 201, 201, errors=False)) == Verdict(sent=4)


def test_partial_failures() -> None:
    """What exists was sent, what the server can take later is sent again, the rest it will never take."""
    full = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "full"}}
    wrong = {"status": 400, "error": {"type": "document_parsing_exception", "reason": "[1:2] no\nlong"}}
    exists = {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "exists"}}
    assert BULK.judge(ITEMS, answered(full, wrong, exists, 201)) == Verdict(
        2, 1, ITEMS[:1], "400: document_parsing_exception: [1:2] no long"
    )
    assert BULK.judge(ITEMS, answered(201, full, 503, 200)) == Verdict(
        2, 0, ITEMS[1:3], "429: es_rejected_execution_exception: full"
    )


def test_only_those_that_exist() -> None:
    """A second attempt after an answer that was lost: all is well."""
    assert BULK.judge(ITEMS, answered(409, 409, 409, 201)) == Verdict(sent=4)


@pytest.mark.parametrize(
    "result", [{"status": "201"}, {}, None, 5, "x", {"error": {"type": "t"}}, {"status": None}]
)
def test_a_result_that_is_none(result: Any) -> None:
    """It is lost, and counted: nobody knows what became of it."""
    body = json.dumps({"errors": True, "items": [{"create": result}] * 4}).encode()
    reason = "its answer does not say what became of each event"
    assert BULK.judge(ITEMS, Answer(200, {}, body)) == Verdict(refused=4, reason=reason)


@pytest.mark.parametrize("items", [[], [{"create": {"status": 201}}] * 3, None, {}, [[]] * 5])
def test_another_number_of_results(items: Any) -> None:
    """Who reports errors without saying which has them all."""
    body = json.dumps({"errors": True, "items": items}).encode()
    assert BULK.judge(ITEMS, Answer(200, {}, body)).refused == 4


@pytest.mark.parametrize("results", [[[], 5, None, "x"]])
def test_results_of_another_kind(results: list[Any]) -> None:
    """They end nothing."""
    body = json.dumps({"errors": True, "items": results}).encode()
    assert BULK.judge(ITEMS, Answer(200, {}, body)).refused == 4


@pytest.mark.parametrize(
    "body", [b"", b"<html>soon</html>", b"[]", b"7", b"{}", b"\xff", b"[" * 99999, b"nul"]
)
def test_an_answer_of_somebody_else(body: bytes) -> None:
    """A page of a proxy says nothing about the events: they are sent again."""
    expected: Verdict[Kept] = Verdict(again=ITEMS, reason="its answer is not one of the _bulk API")
    assert BULK.judge(ITEMS, Answer(200, {}, body)) == expected


def test_an_error_without_words() -> None:
    """Its status is the reason."""
    assert BULK.judge(ITEMS[:1], answered({"status": 404})).reason == "404"
    assert BULK.judge(ITEMS[:1], answered({"status": 404, "error": "gone"})).reason == "404"


def test_a_long_reason() -> None:
    """It is cut, and has no passwords in it."""
    error = {"type": "x", "reason": "http://me:hunter2@es " + "y" * 10_000}
    reason = BULK.judge(ITEMS[:1], answered({"status": 400, "error": error})).reason
    assert "hunter2" not in reason
    assert len(reason) < 600
