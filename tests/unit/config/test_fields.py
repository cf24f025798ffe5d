from __future__ import annotations

import pytest

from procwrap.config.fields import Fields, Place, nearest
from procwrap.config.node import Entry, Kind, Mark, Node
from procwrap.config.problem import Problem, WrongValueError
from procwrap.config.readers import text
from tests.support.configs import messages_of, process_of


def mapping(**values: str) -> Place:
    entries = {
        key: Entry(Mark(index, 1), Node(Kind.TEXT, Mark(index, 9), value))
        for index, (key, value) in enumerate(values.items(), start=1)
    }
    return Place(Node(Kind.MAPPING, Mark(1, 1), entries=entries), "top", [])


def test_known_keys_are_read() -> None:
    """Keys are taken by name; what is not there is its default."""
    fields = Fields(mapping(a="x"))
    assert (fields.take("a", text, None), fields.take("b", text, "none"), fields.require("a2", text, "")) == (
        "x",
        "none",
        "",
    )


def test_a_missing_key_is_reported_where_the_mapping_begins() -> None:
    """The line of the mapping is where somebody has to add the key."""
    place = mapping(a="x")
    Fields(place).require("b", text, "")
    assert place.problems == [Problem(Mark(1, 1), "top.b", "is missing")]


def test_unknown_keys() -> None:
    """An unknown key gets the nearest known one, or all of them; x- keys are the user's."""
    place = mapping(Entry_Point="x", zebra="x", **{"x-mine": "y", "X-Yours": "z"})
    fields = Fields(place)
    for key in ("entrypoint", "dir"):
        fields.take(key, text, None)
    fields.finish()
    assert [(problem.mark, problem.path, problem.message) for problem in place.problems] == [
        (Mark(1, 1), "top.Entry_Point", "unknown key: did you mean entrypoint?"),
        (Mark(2, 1), "top.zebra", "unknown key: expected one of entrypoint, dir"),
    ]


def test_what_was_taken_and_what_is_left() -> None:
    """Who has further keys to offer can see which were asked for, and which nobody took."""
    fields = Fields(mapping(mine="x", dir="x", **{"x-mine": "y"}))
    assert (fields.known, fields.left) == ((), ("mine", "dir"))
    for key in ("entrypoint", "dir"):
        fields.take(key, text, None)
    assert (fields.known, fields.left) == (("entrypoint", "dir"), ("mine",))


def test_any_case() -> None:
    """Where any case is allowed, two spellings of one key are a double key."""
    place = mapping(Uid="x", UID="y")
    fields = Fields(place, any_case=True)
    assert fields.take("uid", text, None) == "y"
    fields.finish()
    message = "given twice, also as Uid: keep one of them"
    assert place.problems == [Problem(Mark(2, 1), "top.UID", message)]


def test_no_mapping() -> None:
    """Anything else in the place of a mapping is named by its kind; its value is not shown."""
    with pytest.raises(WrongValueError) as caught:
        Fields(Place(Node(Kind.TEXT, Mark(1, 1), "hunter2"), "", []))
    assert str(caught.value) == "expected a mapping, got text"


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("Restart-Policy", "restartPolicy"),
        ("restartPolcy", "restartPolicy"),
        ("env", "envs"),
        ("command", None),
    ],
)
def test_nearest(word: str, near: str | None) -> None:
    """Case, dashes and a slip of the finger do not hide what was meant."""
    assert nearest(word, ["restartPolicy", "envs", "dir"]) == near


def test_null_means_not_given() -> None:
    """A written null (as templates leave behind) is the same as no key at all."""
    process = process_of("args: null, envs: ~, dir: null, readiness: null, stopTimeout: null, vital: null")
    assert (process.args, process.envs, process.directory, process.readiness) == ((), (), None, None)
    assert messages_of("dir: ")[0] == "dir: expected text, got nothing"


def test_advice_ends_when_nobody_reads_it() -> None:
    """Looking for the nearest key costs time, so after a hundred problems it is left out."""
    many = "{" + ", ".join(f"restartPolcy{number}: 1" for number in range(300)) + "}"
    lines = messages_of(f"sysProcAttr: {many}")
    assert len(lines) == 101
