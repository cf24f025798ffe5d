from __future__ import annotations

import json

import pytest

from procwrap.client import reload
from procwrap.client.host import Answer
from tests.support.client import SpokenHost, Tried, try_out

NOTHING = {
    "added": [], "removed": [], "restarted": {}, "adjusted": {}, "unchanged": 3, "needsRestart": [],
    "failed": {}, "warnings": [],
}  # fmt: skip


def tried(document: dict[str, object], status: int = 200, line: str = "reload") -> Tried:
    """Reload."""
    return try_out(reload.run, line, {"POST /api/reload": Answer(status, document)})


def test_the_difference() -> None:
    """A line for each kind of change, and one for each process with the keys that made the difference."""
    found = tried(
        NOTHING
        | {
            "added": ["a", "b"], "removed": ["c"], "restarted": {"d": ["args", "envs"]},
            "adjusted": {"e": ["labels"]}, "unchanged": 97, "needsRestart": ["logs.format"],
            "warnings": ["d waits for c\x1b"],
        }
    )  # fmt: skip
    assert found.out.splitlines() == [
        "added: a, b",
        "removed: c",
        "restarted: d (args, envs)",
        "adjusted: e (labels)",
        "unchanged: 97",
        "takes effect when procwrap itself is started again: logs.format",
        "warning: d waits for c\\x1b",
    ]
    assert (found.code, found.err) == (0, "")


def test_no_difference() -> None:
    """It says so."""
    assert tried(NOTHING).out == "nothing has changed in 3 processes\n"


def test_what_did_not_come_up() -> None:
    """It is an error, though everything else was done."""
    found = tried(NOTHING | {"added": ["a"], "failed": {"a": "exit code 7"}})
    assert (found.code, found.err) == (1, "a: exit code 7\n")
    assert "added: a\n" in found.out


def test_a_config_that_is_wrong() -> None:
    """Each mistake is a line, as ``procwrap check`` has it."""
    found = tried({"error": "the config is wrong", "errors": ["app.yaml:1:2: x", "app.yaml:3:4: y"]}, 422)
    assert (found.code, found.out, found.err) == (1, "", "app.yaml:1:2: x\napp.yaml:3:4: y\n")


@pytest.mark.parametrize(
    ("status", "document"), [(409, {"error": "no"}), (422, {"error": "no", "errors": 5})]
)
def test_the_host_says_no(status: int, document: dict[str, object]) -> None:
    """It says why."""
    assert tried(document, status).err == "no\n"


def test_json() -> None:
    """What the API says, and the same exit codes."""
    assert json.loads(tried(NOTHING, line="reload --json").out) == NOTHING
    assert tried({"error": "no"}, 409, "reload --json").code == 1


def test_it_takes_as_long_as_it_takes() -> None:
    """A process of the new config may need its time."""
    host = SpokenHost({"POST /api/reload": Answer(200, NOTHING)})
    try_out(reload.run, "reload", host)
    assert host.longer is None
